//! Answers on their way. Each is given to its connection piece by piece; what clients have still to take is bounded for the
//! whole process, and whoever takes it too slowly makes room for others. Strangers have a room of their own.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    Error as ActixError, HttpMessage,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web::Bytes,
};
use tokio::time::Instant;

use super::auth::Authorized;
use crate::kernel::error::{Code, Error};

/// Bytes of a piece; an answer of two costs no more than its connection's buffers.
const PIECE: usize = 32 << 10;
/// Whoever takes less than this in a second is too slow,
const SLOWEST: u128 = 32 << 10;
/// but not before so long.
const GRACE: Duration = Duration::from_secs(5);

/// The larger answers to whom the rules have let in.
static TO_CALLERS: Room = Room::new(64 << 20);
/// The larger answers to everybody else.
static TO_STRANGERS: Room = Room::new(16 << 20);

/// Larger answers that are on their way.
struct Room {
    most: usize,
    answers: Mutex<OnTheirWay>,
}

struct OnTheirWay {
    /// In the order in which they were begun.
    answers: BTreeMap<u64, Answer>,
    bytes: usize,
    next: u64,
}

struct Answer {
    rest: Bytes,
    size: usize,
    began: Instant,
}

impl Answer {
    fn is_too_slow(&self) -> bool {
        let (taken, took) = (self.size - self.rest.len(), self.began.elapsed());
        took > GRACE && (taken as u128) < took.as_millis() * SLOWEST / 1000
    }
}

impl Room {
    const fn new(most: usize) -> Self {
        Self { most, answers: Mutex::new(OnTheirWay { answers: BTreeMap::new(), bytes: 0, next: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, OnTheirWay> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends these bytes. What was done must be answered, what was only asked can be asked again: none when there is no room.
    fn send(&'static self, bytes: &[u8], must: bool) -> Option<Sending> {
        let mut all = self.lock();
        let size = bytes.len();
        if !all.make_room(size, self.most, must) {
            return None;
        }
        let number = all.next;
        all.next += 1;
        all.bytes += size;
        // A copy has no room to grow left over.
        all.answers.insert(number, Answer { rest: Bytes::copy_from_slice(bytes), size, began: Instant::now() });
        Some(Sending { room: self, number, size })
    }
}

impl OnTheirWay {
    /// Makes room by ending those that are too slow, the oldest first; for what must be sent, by ending any.
    fn make_room(&mut self, size: usize, most: usize, must: bool) -> bool {
        while self.bytes + size > most && !self.answers.is_empty() {
            let ended = self.answers.iter().find(|(_, answer)| answer.is_too_slow() || must).map(|(number, _)| *number);
            let Some(ended) = ended else { return false };
            self.end(ended);
        }
        true
    }

    fn end(&mut self, number: u64) {
        if let Some(answer) = self.answers.remove(&number) {
            self.bytes -= answer.size;
        }
    }
}

/// The body of a larger answer.
struct Sending {
    room: &'static Room,
    number: u64,
    size: usize,
}

impl MessageBody for Sending {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.size as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let mut all = self.room.lock();
        let Some(answer) = all.answers.get_mut(&self.number) else {
            return Poll::Ready(Some(Err("the client was too slow, and others needed the room".into())));
        };
        if answer.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = answer.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(answer.rest.split_to(piece))))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.room.lock().end(self.number);
    }
}

/// Stands around everything that answers: a large answer goes out in pieces.
pub async fn send_in_pieces<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let only_asks = request.method() == Method::GET;
    let (request, response) = next.call(request).await?.into_parts();
    let (response, body) = response.into_parts();
    let room = if request.extensions().contains::<Authorized>() { &TO_CALLERS } else { &TO_STRANGERS };
    let body = match body.try_into_bytes() {
        Ok(bytes) if bytes.len() > 2 * PIECE => match room.send(&bytes, !only_asks) {
            Some(sending) => BoxBody::new(sending),
            None => {
                let refusal = Error::new(Code::Busy, "Others have not yet taken as much as the server holds.").retry_after(1);
                return Ok(ServiceResponse::from_err(refusal, request));
            }
        },
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => BoxBody::new(body),
    };
    Ok(ServiceResponse::new(request, response.set_body(body)))
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn piece(sending: &mut Sending) -> Option<Result<usize, String>> {
        match Pin::new(sending).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(piece) => piece.map(|piece| piece.map(|bytes| bytes.len()).map_err(|error| error.to_string())),
            Poll::Pending => panic!("an answer never waits"),
        }
    }

    #[test]
    fn an_answer_goes_out_in_pieces_and_what_must_be_sent_has_room() {
        static ROOM: Room = Room::new(3 * PIECE);
        let mut read = ROOM.send(&vec![1; PIECE + 1], false).expect("room");
        assert_eq!(piece(&mut read), Some(Ok(PIECE)));
        assert!(ROOM.send(&vec![2; 2 * PIECE], false).is_none(), "it is not too slow yet");
        let mut written = ROOM.send(&vec![3; 2 * PIECE], true).expect("what was done is answered");
        assert!(piece(&mut read).is_some_and(|piece| piece.is_err()), "it made room");
        assert_eq!((piece(&mut written), piece(&mut written), piece(&mut written)), (Some(Ok(PIECE)), Some(Ok(PIECE)), None));
        drop((read, written));
        assert_eq!(ROOM.lock().bytes, 0);
        assert!(ROOM.send(&vec![4; 3 * PIECE], false).is_some());
    }
}
