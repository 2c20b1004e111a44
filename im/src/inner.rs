//! What everything a user can do works with.

use lingxi_bus::SharedBus;
use lingxi_cache::SharedCache;
use lingxi_files::Blobs;
use lingxi_store::Store;

use crate::files::Places;
use crate::names::Names;
use crate::passwords::Passwords;
use crate::tokens::Tokens;
use crate::typing::Recent;
use crate::{Deps, ImConfig};

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) bus: SharedBus,
    pub(crate) cache: SharedCache,
    pub(crate) blobs: Blobs,
    pub(crate) config: ImConfig,
    pub(crate) uploads: Places,
    pub(crate) names: Names,
    pub(crate) passwords: Passwords,
    pub(crate) tokens: Tokens,
    pub(crate) typing: Recent,
}

impl Inner {
    pub(crate) fn new(deps: Deps) -> Self {
        let Deps {
            store,
            bus,
            cache,
            files,
            config,
        } = deps;
        Self {
            names: Names::new(store.clone(), cache.clone()),
            passwords: Passwords::new(config.bcrypt_cost, config.rate_limits),
            typing: Recent::new(),
            uploads: Places::new(&config.files),
            blobs: files,
            tokens: Tokens::new(&config, store.clone()),
            store,
            bus,
            cache,
            config,
        }
    }
}
