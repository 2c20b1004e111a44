//! How many descriptors (sockets, files) this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as it may be raised, since the usual 1024 is what shells want and not what servers need, and
/// returns what it is then. Where the system refuses, it stays what it was. `usize::MAX` stands for no limit.
pub fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let wanted = Rlimit {
            current: maximum,
            maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, wanted) {
            tracing::warn!(%error, "the limit of open descriptors stays as it is");
        }
    }
    limit()
}

/// The limit in force; `usize::MAX` stands for no limit.
#[must_use]
pub fn limit() -> usize {
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // Other tests may run in this process: they are left enough.
        let lower = maximum.map_or(65_536, |most| most - 1);
        let low = Rlimit {
            current: Some(lower),
            maximum,
        };
        setrlimit(Resource::Nofile, low).unwrap();
        assert_eq!(limit(), usize::try_from(lower).unwrap());
        let hard = maximum.map_or(usize::MAX, |most| usize::try_from(most).unwrap());
        assert_eq!((raise(), limit()), (hard, hard));
    }
}
