//! Faults that are planted to prove that the tests would notice them.

/// Whether this one is planted: `LINGXI_SABOTAGE` names it.
pub(crate) fn planted(fault: &str) -> bool {
    std::env::var("LINGXI_SABOTAGE").is_ok_and(|named| named == fault)
}
