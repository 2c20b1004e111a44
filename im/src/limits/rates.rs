//! What is counted, and how much of it may be.

use lingxi_cache::Rate;

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spending {
    /// A chat message, on whatever socket.
    Message,
    /// Anything else that a client asks for, by REST or as a frame.
    Request,
    /// A try to log in.
    Login,
    /// A new account.
    Registration,
    /// A question to the assistant.
    Run,
    /// Somebody else is taken into a group.
    Invitation,
    /// Being taken into a group by others, of whom it is not asked.
    BeingInvited,
    /// Joining, leaving, inviting, kicking: by the members who are told.
    Membership,
}

impl Spending {
    /// Its part of a bucket's key.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Request => "request",
            Self::Login => "login",
            Self::Registration => "registration",
            Self::Run => "run",
            Self::Invitation => "invitation",
            Self::BeingInvited => "invited",
            Self::Membership => "membership",
        }
    }

    /// What the payer has too many of.
    pub(super) fn too_many(self) -> &'static str {
        match self {
            Self::Message => "Too many messages",
            Self::Request => "Too many requests",
            Self::Login => "Too many logins from your address",
            Self::Registration => "Too many registrations from your address",
            Self::Run => "Too many questions to the assistant",
            Self::Invitation => "Too many invitations",
            Self::BeingInvited => "This user is invited too often",
            Self::Membership => "Too many changes of members, counted by those who are told",
        }
    }
}

/// One change in a group of few, or a share of one in a large group.
const MEMBERSHIP: Rate = Rate {
    burst: 100,
    per_second: 2.0,
};

/// How much one payer may have of each, over all nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Messages a user may send a second, in the long run.
    pub messages_per_second: u32,
    /// Messages a user may send at once.
    pub message_burst: u32,
    /// Requests a user may make a second, in the long run.
    pub requests_per_second: u32,
    /// Requests a user may make at once.
    pub request_burst: u32,
    /// Tries to log in from one network a minute.
    pub logins_per_minute: u32,
    /// Registrations from one network a minute.
    pub registers_per_minute: u32,
    /// Questions to the assistant a user may ask a minute.
    pub runs_per_minute: u32,
    /// Invitations into groups a user may send a minute.
    pub invitations_per_minute: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            messages_per_second: 20,
            message_burst: 60,
            requests_per_second: 20,
            request_burst: 60,
            logins_per_minute: 30,
            registers_per_minute: 30,
            runs_per_minute: 10,
            invitations_per_minute: 30,
        }
    }
}

impl Rates {
    /// The bucket of one payer for this.
    pub fn of(&self, what: Spending) -> Rate {
        let bucket = |per_second: u32, burst: u32| Rate {
            burst: burst.max(1),
            per_second: f64::from(per_second),
        };
        match what {
            Spending::Message => bucket(self.messages_per_second, self.message_burst),
            Spending::Request => bucket(self.requests_per_second, self.request_burst),
            Spending::Login => Rate::per_minute(self.logins_per_minute),
            Spending::Registration => Rate::per_minute(self.registers_per_minute),
            Spending::Run => Rate::per_minute(self.runs_per_minute),
            Spending::Invitation | Spending::BeingInvited => {
                Rate::per_minute(self.invitations_per_minute)
            }
            Spending::Membership => MEMBERSHIP,
        }
    }
}
