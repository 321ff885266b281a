//! Room for large bodies: what all of them take together, and what one holder has of it.

use std::{sync::LazyLock, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::kernel::{
    error::{Code, Error, Result},
    http::shares::{Holder, Membership, PARTS, Semaphores},
};

/// Bytes of a body at the most from somebody whom nobody knows yet, of a command, and of what need not be
/// counted.
pub const MAX_SMALL_BODY: usize = 64 << 10;
/// Bytes of all larger bodies that are here, until what they ask for is done.
const MAX_BODIES: usize = 64 << 20;
/// Room for larger bodies, in KiB.
static BODIES: Semaphore = Semaphore::const_new(MAX_BODIES >> 10);
/// What each may have of it.
static SHARES: LazyLock<Semaphores<Holder>> = LazyLock::new(Semaphores::default);
/// The share of one holder, in KiB.
const MAX_SHARE: usize = (MAX_BODIES / PARTS) >> 10;

/// How long a body waits for room.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The room of a body among all that are here; a small one needs none.
pub type BodyBudget = Option<BodyPermit>;

/// Room that is taken, of all and of one's share.
pub struct BodyPermit {
    _room: SemaphorePermit<'static>,
    _share: OwnedSemaphorePermit,
    _place: Membership<Holder>,
}

/// Takes room for so many bytes.
pub async fn reserve(bytes: usize, holder: Holder) -> Result<BodyBudget> {
    if bytes <= MAX_SMALL_BODY {
        return Ok(None);
    }
    let kib = u32::try_from((bytes >> 10).min(MAX_SHARE)).unwrap_or(u32::MAX);
    let taken = async {
        let place = SHARES.enter(holder, MAX_SHARE, usize::MAX)?;
        // Whoever has had their share waits for themselves, not before others.
        let share = place.shared.clone().acquire_many_owned(kib).await.ok()?;
        let room = BODIES.acquire_many(kib).await.ok()?;
        Some(BodyPermit { _room: room, _share: share, _place: place })
    };
    match tokio::time::timeout(MAX_WAIT, taken).await {
        Ok(taken) => taken.map(Some).ok_or_else(|| Error::internal("a semaphore was closed")),
        Err(_) => {
            Err(Error::new(Code::Busy, "More large bodies are here than the server takes. Nothing was done.")
                .retry_after(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_has_more_of_the_room_than_their_share() {
        let (one, other) = (Holder::Credential(Uuid::from_u128(1)), Holder::Address(None));
        let mut taken = Vec::new();
        for _ in 0..8 {
            taken.push(reserve(MAX_BODIES / 16, one).await.expect("room"));
        }
        let refused = reserve(MAX_SMALL_BODY + 1024, one).await.err().expect("a refusal");
        assert_eq!(refused.code(), Code::Busy);
        assert!(
            reserve(MAX_SMALL_BODY, one).await.is_ok_and(|room| room.is_none()),
            "a small one needs no room"
        );
        // In line behind oneself, nobody stands before others.
        let mut next = Box::pin(reserve(MAX_BODIES / 16, one));
        assert!((&mut next).now_or_never().is_none());
        let others = reserve(usize::MAX, other).await.expect("as much as there is for one");
        taken.pop();
        assert!(next.await.is_ok());
        drop((taken, others));
        assert!(
            SHARES.is_empty() && BODIES.available_permits() == MAX_BODIES >> 10,
            "who has gone leaves nothing"
        );
    }
}
