//! Answers on their way. Each is given to its connection piece by piece; what clients have still to take is
//! bounded for the whole process, and whoever takes it too slowly makes room for others. Strangers have a
//! room of their own.

use std::{
    collections::BTreeMap,
    convert::Infallible,
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

use super::{
    auth::Authorized,
    shares::{Holder, PARTS},
};
use crate::kernel::error::{Code, Error};

/// Bytes of a piece; an answer of two costs no more than its connection's buffers.
const PIECE: usize = 32 << 10;
/// Whoever takes less than this in a second is too slow,
const SLOWEST: u128 = 32 << 10;
/// but not before so long.
const GRACE: Duration = Duration::from_secs(5);

/// The larger answers to whom the rules have let in.
static TO_CALLERS: SendBudget = SendBudget::new(64 << 20);
/// The larger answers to everybody else.
static TO_STRANGERS: SendBudget = SendBudget::new(16 << 20);

/// Larger answers that are on their way.
struct SendBudget {
    most: usize,
    answers: Mutex<InFlight>,
}

#[derive(Default)]
struct InFlight {
    /// In the order in which they were begun.
    answers: BTreeMap<u64, OutgoingReply>,
    bytes: usize,
    next: u64,
}

/// For whom an answer is, and whether it must come.
#[derive(Clone, Copy, Debug)]
struct Purpose {
    holder: Holder,
    /// What was done must be answered; what was only asked can be asked again.
    must: bool,
}

struct OutgoingReply {
    purpose: Purpose,
    rest: Bytes,
    size: usize,
    began: Instant,
}

impl OutgoingReply {
    fn is_too_slow(&self) -> bool {
        let (taken, took) = (self.size - self.rest.len(), self.began.elapsed());
        took > GRACE && (taken as u128) < took.as_millis() * SLOWEST / 1000
    }
}

impl SendBudget {
    const fn new(most: usize) -> Self {
        Self { most, answers: Mutex::new(InFlight { answers: BTreeMap::new(), bytes: 0, next: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, InFlight> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends these bytes; none when there is no room for what need not be sent.
    fn send(&'static self, bytes: &[u8], purpose: Purpose) -> Option<Sending> {
        let size = bytes.len();
        // A copy has no room to grow left over. It is made before others are kept waiting.
        let rest = Bytes::copy_from_slice(bytes);
        let mut all = self.lock();
        if !all.make_room(size, self.most, purpose) {
            return None;
        }
        let number = all.next;
        all.next += 1;
        all.bytes += size;
        all.answers.insert(number, OutgoingReply { purpose, rest, size, began: Instant::now() });
        Some(Sending { room: self, number, size })
    }
}

impl InFlight {
    /// Makes room, first in the holder's own share, then among all.
    fn make_room(&mut self, size: usize, most: usize, purpose: Purpose) -> bool {
        let whose = |answer: &OutgoingReply| answer.purpose.holder == purpose.holder;
        self.make_room_among(size, most / PARTS, purpose.must, whose)
            && self.make_room_among(size, most, purpose.must, |_| true)
    }

    /// Ends some of these answers, as few as make room. One that is alone has it.
    fn make_room_among(
        &mut self,
        size: usize,
        most: usize,
        must: bool,
        among: impl Fn(&OutgoingReply) -> bool,
    ) -> bool {
        loop {
            let held =
                self.answers.values().filter(|answer| among(answer)).map(|answer| answer.size).sum::<usize>();
            if held == 0 || held + size <= most {
                return true;
            }
            let Some(ended) = self.next_to_go(must, &among) else { return false };
            self.end(ended);
        }
    }

    /// Those that are too slow go first, then, for what must be sent, those that were only asked for, and the
    /// answers of writes last; of each the oldest.
    fn next_to_go(&self, must: bool, among: impl Fn(&OutgoingReply) -> bool) -> Option<u64> {
        let these = self.answers.iter().filter(|(_, answer)| among(answer));
        let ranked = these.map(|(number, answer)| (!answer.is_too_slow(), answer.purpose.must, *number));
        ranked.filter(|(in_time, ..)| !in_time || must).min().map(|(.., number)| number)
    }

    fn end(&mut self, number: u64) {
        if let Some(answer) = self.answers.remove(&number) {
            self.bytes -= answer.size;
        }
    }
}

/// The body of a larger answer.
struct Sending {
    room: &'static SendBudget,
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

/// On an answer whose bytes are kept anyway, for everybody: it takes no room.
#[derive(Clone, Copy)]
pub(super) struct KeptReply;

/// The body of an answer whose bytes are kept anyway.
struct Pieces(Bytes);

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let piece = self.0.len().min(PIECE);
        Poll::Ready((piece > 0).then(|| Ok(self.0.split_to(piece))))
    }
}

/// Stands around everything that answers: a large answer goes out in pieces.
pub async fn send_in_pieces<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let only_asks = request.method() == Method::GET;
    let (request, response) = next.call(request).await?.into_parts();
    let is_kept = response.extensions().contains::<KeptReply>();
    let (response, body) = response.into_parts();
    let caller = request.extensions().get::<Authorized>().map(|authorized| authorized.holder);
    let (room, holder) =
        caller.map_or_else(|| (&TO_STRANGERS, Holder::somebody(&request)), |caller| (&TO_CALLERS, caller));
    let body = match body.try_into_bytes() {
        Ok(bytes) if is_kept => BoxBody::new(Pieces(bytes)),
        Ok(bytes) if bytes.len() > 2 * PIECE => match room.send(&bytes, Purpose { holder, must: !only_asks })
        {
            Some(sending) => BoxBody::new(sending),
            None => {
                let refusal =
                    Error::new(Code::Busy, "Others have not yet taken as much as the server holds.")
                        .retry_after(1);
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

    use tokio::time::advance;
    use uuid::Uuid;

    use super::*;

    fn piece(sending: &mut Sending) -> Option<Result<usize, String>> {
        match Pin::new(sending).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(piece) => {
                piece.map(|piece| piece.map(|bytes| bytes.len()).map_err(|error| error.to_string()))
            }
            Poll::Pending => panic!("an answer never waits"),
        }
    }

    const fn of(holder: u128, must: bool) -> Purpose {
        Purpose { holder: Holder::Credential(Uuid::from_u128(holder)), must }
    }

    fn is_ended(sending: &mut Sending) -> bool {
        piece(sending).is_some_and(|piece| piece.is_err())
    }

    #[test]
    fn an_answer_goes_out_in_pieces_and_what_must_be_sent_has_room() {
        static ROOM: SendBudget = SendBudget::new(3 * PIECE);
        let mut read = ROOM.send(&vec![1; PIECE + 1], of(1, false)).expect("room");
        assert_eq!(piece(&mut read), Some(Ok(PIECE)));
        assert!(ROOM.send(&vec![2; 2 * PIECE], of(2, false)).is_none(), "it is not too slow yet");
        let mut written = ROOM.send(&vec![3; 2 * PIECE], of(2, true)).expect("what was done is answered");
        assert!(is_ended(&mut read), "it made room");
        assert_eq!(
            (piece(&mut written), piece(&mut written), piece(&mut written)),
            (Some(Ok(PIECE)), Some(Ok(PIECE)), None)
        );
        drop((read, written));
        assert_eq!(ROOM.lock().bytes, 0);
        assert!(ROOM.send(&vec![4; 3 * PIECE], of(1, false)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_too_slow_that_falls_behind_after_its_grace() {
        const SIZE: usize = 1 << 20;
        let after = async |seconds: f64, taken: usize| {
            let mut answer = OutgoingReply {
                purpose: of(1, false),
                rest: vec![0; SIZE].into(),
                size: SIZE,
                began: Instant::now(),
            };
            drop(answer.rest.split_to(taken));
            advance(Duration::from_secs_f64(seconds)).await;
            answer.is_too_slow()
        };
        let a_second = usize::try_from(SLOWEST).expect("a number of bytes");
        assert!(!after(0.0, 0).await && !after(5.0, 0).await, "nobody is in the first five seconds");
        assert!(after(5.001, 0).await && after(5.001, 5 * a_second).await);
        assert!(!after(5.001, 5 * a_second + 33).await);
        assert!(after(20.0, 20 * a_second - 1).await && !after(20.0, 20 * a_second).await);
        assert!(after(60.0, SIZE).await, "whoever took all of it, and does not end it");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_make_room_first_then_what_was_only_asked_and_writes_last() {
        static ROOM: SendBudget = SendBudget::new(8 * PIECE);
        let two = vec![0; 2 * PIECE];
        let mut slow_write = ROOM.send(&two, of(1, true)).expect("room");
        let mut slow = ROOM.send(&two, of(2, false)).expect("room");
        advance(GRACE * 2).await;
        let mut write = ROOM.send(&two, of(3, true)).expect("room");
        let mut read = ROOM.send(&two, of(4, false)).expect("room");
        // What is only asked for takes the room of the slow ones, and no more.
        let mut others =
            vec![ROOM.send(&two, of(5, false)).expect("that of the slow one that was only asked for")];
        assert!(ROOM.lock().answers.len() == 4 && is_ended(&mut slow));
        others.push(ROOM.send(&two, of(6, false)).expect("that of the slow write"));
        assert!(ROOM.lock().answers.len() == 4 && is_ended(&mut slow_write));
        assert!(ROOM.send(&two, of(7, false)).is_none());
        // What must be sent takes that of what was only asked for, the oldest first, and that of a write
        // last.
        others.push(ROOM.send(&two, of(8, true)).expect("room"));
        assert!(is_ended(&mut read) && !is_ended(&mut others[0]));
        others.push(ROOM.send(&two, of(9, true)).expect("room"));
        others.push(ROOM.send(&two, of(10, true)).expect("room"));
        assert!(is_ended(&mut others[0]) && is_ended(&mut others[1]) && !is_ended(&mut write));
        others.push(ROOM.send(&two, of(11, true)).expect("room"));
        assert!(is_ended(&mut write));
    }

    #[test]
    fn nobody_has_more_of_the_room_than_their_share() {
        static ROOM: SendBudget = SendBudget::new(8 * PIECE);
        let two = vec![0; 2 * PIECE];
        let mut mine: Vec<Sending> = (0..2).filter_map(|_| ROOM.send(&two, of(1, false))).collect();
        assert_eq!(mine.len(), 2);
        assert!(ROOM.send(&two, of(1, false)).is_none(), "half of the room is still free, for others");
        let mut other = ROOM.send(&two, of(2, false)).expect("room");
        let last = ROOM.send(&two, of(1, true)).expect("what was done is answered");
        assert!(is_ended(&mut mine[0]) && !is_ended(&mut other), "in one's own share");
        drop((mine, last));
        assert!(ROOM.send(&vec![0; 6 * PIECE], of(1, false)).is_some(), "what is alone has room");
    }

    #[test]
    fn what_is_kept_anyway_goes_out_in_pieces_without_a_copy() {
        let kept = Bytes::from(vec![7; PIECE + 1]);
        let mut pieces = Pieces(kept.clone());
        let mut next = || match Pin::new(&mut pieces).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(piece) => piece.map(|piece| piece.expect("bytes")),
            Poll::Pending => panic!("it never waits"),
        };
        let (first, second) = (next().expect("a piece"), next().expect("a piece"));
        assert!(
            first.as_ptr() == kept.as_ptr() && second.as_ptr() == kept[PIECE..].as_ptr() && next().is_none()
        );
    }
}
