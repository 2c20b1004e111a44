//! Names under which the system speaks, and what looks like them.

use super::characters::is_letter_or_digit;
use super::keyword::fold;
use super::lookalike::skeleton;

/// The system's own names, as it may write them.
const OWN: &[&str] = &[
    "灵犀", "lingxi", "Lingxi", "LINGXI", "ai", "Ai", "AI", "system", "System", "SYSTEM", "系统",
];

/// Names of offices, which operators give away (`lingxi user add`) and nobody takes.
const OFFICES: &[&str] = &[
    "admin",
    "Admin",
    "ADMIN",
    "administrator",
    "support",
    "管理员",
    "客服",
];

/// Whether a name poses as the system: whatever stands around the letters does not count.
pub(super) fn poses_as_system(shown: &str) -> bool {
    looks_like(OWN, shown)
}

/// Whether a name poses as somebody whom operators appoint.
pub(super) fn poses_as_office(shown: &str) -> bool {
    looks_like(OFFICES, shown)
}

fn looks_like(names: &[&str], shown: &str) -> bool {
    let letters: String = shown.chars().filter(|&c| is_letter_or_digit(c)).collect();
    let (written, folded) = (skeleton(&letters), skeleton(&fold(&letters)));
    names.iter().any(|name| {
        let own = skeleton(name);
        own == written || own == folded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skeleton_decides() {
        for name in [
            "灵犀",
            "灵犀 ",
            "【灵犀】",
            "灵 犀",
            "灵犀✓",
            "lіngxi",
            "LINGXI",
            "LіNGXI",
            "Iingxi",
            "ＬＩＮＧＸＩ",
            "𝐥𝐢𝐧𝐠𝐱𝐢",
            "ＡＩ",
            "АI",
            "ΑΙ",
            "Al",
            "a.i",
            "ѕystem",
            "SYSTEM",
            "系统",
            "system:",
            "ai\u{200b}",
        ] {
            assert!(poses_as_system(name), "{name}");
        }
        for name in [
            "al",
            "灵犀粉丝",
            "lingxifan",
            "L1ngxi",
            "aida",
            "systems",
            "小灵",
            "爱",
            "",
        ] {
            assert!(!poses_as_system(name), "{name}");
        }
        assert!(poses_as_office("аdmin") && poses_as_office("管理员"));
        assert!(!poses_as_office("adminton"));
    }
}
