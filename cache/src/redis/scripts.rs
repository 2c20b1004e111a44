//! What runs inside Redis: each script is one step that nothing comes between, timed by Redis' own clock.

use fred::types::scripts::Script;

pub(super) struct Scripts {
    pub(super) refresh_presence: Script,
    pub(super) clear_presence: Script,
    pub(super) online: Script,
    pub(super) online_count: Script,
    pub(super) take: Script,
    pub(super) attempt: Script,
    pub(super) release: Script,
    pub(super) count: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            refresh_presence: Script::from_lua(include_str!("lua/refresh_presence.lua")),
            clear_presence: Script::from_lua(include_str!("lua/clear_presence.lua")),
            online: Script::from_lua(include_str!("lua/online.lua")),
            online_count: Script::from_lua(include_str!("lua/online_count.lua")),
            take: Script::from_lua(include_str!("lua/take.lua")),
            attempt: Script::from_lua(include_str!("lua/attempt.lua")),
            release: Script::from_lua(include_str!("lua/release.lua")),
            count: Script::from_lua(include_str!("lua/count.lua")),
        }
    }
}
