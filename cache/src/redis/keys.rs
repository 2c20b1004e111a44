//! Names of keys. What one script touches shares a hash tag, so that it lies on one node of a cluster.

pub(super) struct Keys {
    namespace: String,
    /// `until` and `seats`: see the presence scripts.
    pub(super) presence: [String; 2],
}

impl Keys {
    pub(super) fn new(namespace: &str) -> Self {
        let presence = ["until", "seats"].map(|part| format!("{namespace}:{{presence}}:{part}"));
        Self {
            namespace: namespace.to_owned(),
            presence,
        }
    }

    pub(super) fn bucket(&self, key: &str) -> String {
        format!("{}:bucket:{key}", self.namespace)
    }

    pub(super) fn attempts(&self, key: &str) -> String {
        format!("{}:attempts:{key}", self.namespace)
    }

    pub(super) fn counter(&self, key: &str) -> String {
        format!("{}:counter:{key}", self.namespace)
    }

    pub(super) fn value(&self, key: &str) -> String {
        format!("{}:value:{key}", self.namespace)
    }
}
