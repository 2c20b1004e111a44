//! Names under which the system speaks, and what looks like them.

use std::sync::LazyLock;

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

static OWN_SKELETONS: LazyLock<Vec<String>> = LazyLock::new(|| skeletons(OWN));
static OFFICE_SKELETONS: LazyLock<Vec<String>> = LazyLock::new(|| skeletons(OFFICES));

fn skeletons(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| skeleton(name)).collect()
}

/// Whether a name poses as the system: whatever stands around the letters does not count.
pub(super) fn poses_as_system(shown: &str) -> bool {
    looks_like(&OWN_SKELETONS, shown)
}

/// Whether a name poses as somebody whom operators appoint.
pub(super) fn poses_as_office(shown: &str) -> bool {
    looks_like(&OFFICE_SKELETONS, shown)
}

fn looks_like(skeletons: &[String], shown: &str) -> bool {
    let letters: String = shown.chars().filter(|&c| is_letter_or_digit(c)).collect();
    let (written, folded) = (skeleton(&letters), skeleton(&fold(&letters)));
    skeletons.contains(&written) || skeletons.contains(&folded)
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
