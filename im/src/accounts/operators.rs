//! Operators: their sessions, which open their API and nothing else.

use std::net::IpAddr;

use lingxi_domain::ErrorCode;

use super::{Accounts, Login};
use crate::tokens::Audience;
use crate::{Identity, Result};

impl Accounts<'_> {
    /// As [`Self::login`], for operators: the token opens the operators' API. Anybody else is answered as if the password
    /// were wrong, so that nothing tells which accounts are operators.
    ///
    /// # Errors
    /// As [`Self::login`].
    pub async fn login_operator(
        &self,
        username: &str,
        password: &str,
        client: Option<IpAddr>,
    ) -> Result<Login> {
        let user = self.with_password(username, password, client).await?;
        if !user.role.is_operator() {
            return Err(ErrorCode::InvalidCredentials.into());
        }
        self.session(user, Audience::Operators)
    }

    /// Whose operator's token this is, with the role that the account has now.
    ///
    /// # Errors
    /// As [`Self::authenticate`]; `unauthorized` too where the account is an operator's no more.
    pub async fn authenticate_operator(&self, token: &str) -> Result<Identity> {
        let tokens = &self.im.tokens;
        let known = tokens.authenticate(token, Audience::Operators).await?;
        let user = self.im.store.user(known.user_id).await?;
        match user.filter(|user| user.role.is_operator()) {
            Some(user) => Ok(Identity {
                role: user.role,
                ..known
            }),
            None => Err(ErrorCode::Unauthorized.into()),
        }
    }
}
