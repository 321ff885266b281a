//! Rights are read once more, in the transaction of the write that needs them: what was known of a caller
//! when they came may be some seconds old, and another instance may have taken it from them since.

use std::sync::Arc;

use super::{
    actor::{Role, Scope},
    error::Result,
    tx::Tx,
};

/// The advisory lock of whoever changes rights, and, shared, of whoever needs those of an administrator: of
/// two who take each other's rights away one comes first, and the other finds that they have none.
const RIGHTS_LOCK: i64 = 4_919_024;

impl Scope {
    /// Whether rights are given and taken with it.
    const fn changes_rights(self) -> bool {
        matches!(self, Self::UsersWrite | Self::UsersOffboard | Self::GroupsWrite | Self::ApiKeysWrite)
    }

    /// Whether it is for setting up.
    fn is_set_up(self) -> bool {
        self.least_role() == Role::Admin && self.reading().is_some()
    }

    /// What reading the things takes that are written with it.
    #[must_use]
    pub fn reading(self) -> Option<Self> {
        self.as_str().strip_suffix(":write").and_then(|things| format!("{things}:read").parse().ok())
    }

    /// Whether what is done with it goes by rules of its own, whatever else it makes: what comes of a form,
    /// the work that a leaver hands over, one's own account.
    const fn has_own_rules(self) -> bool {
        matches!(self, Self::IntakeWrite | Self::UsersOffboard | Self::ProfileWrite)
    }
}

impl Tx {
    /// Before anything of an operation that sets up, or gives and takes rights; after its retry key, for
    /// which its twin may make it wait.
    pub(super) async fn check_administrative_rights(&mut self) -> Result<()> {
        let Some(scope) = self.context.scope else { return Ok(()) };
        if scope.changes_rights() {
            self.advisory_lock(RIGHTS_LOCK).await?;
        } else if scope.is_set_up() {
            self.advisory_lock_shared(RIGHTS_LOCK).await?;
        } else {
            return Ok(());
        }
        self.check_rights().await
    }

    /// Reads once more who asks and what they may do by now, once in a transaction. What no request asked
    /// for, such as a job, has the rights that it was begun with.
    pub(super) async fn check_rights(&mut self) -> Result<()> {
        let (Some(scope), Some(recognise)) = (self.context.scope, self.recognise) else { return Ok(()) };
        let actor = recognise(self).await?;
        actor.may(scope)?;
        // Not before: whoever was refused, and goes on with something else, is refused that as well.
        self.recognise = None;
        self.context.actor = Arc::new(actor);
        Ok(())
    }

    /// Refuses whoever makes or changes, beside what the operation is for, something that they may not write.
    pub(super) fn check_write(&self, kind: &str) -> Result<()> {
        let own_rules = self.context.scope.is_none_or(Scope::has_own_rules);
        match super::kinds::named(kind).and_then(|kind| kind.write) {
            Some(scope) if !own_rules => self.context.actor.may(scope),
            _ => Ok(()),
        }
    }
}
