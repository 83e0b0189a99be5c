//! Two futures polled together, the first always first.
//!
//! tokio-postgres queues a request when the future that makes it is polled for the first time, and sends what is queued
//! without waiting for answers. So futures polled one after the other travel in that order, in one round trip.
//! `futures::join!` and its kin do the same today but do not promise an order; safety here depends on it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

/// Polls `first` and then `second` until both are done, and gives both outputs.
///
/// They are pinned where they were made: moved through each caller, they would be stored once a layer.
pub(super) fn in_order<A: Future, B: Future>(
    mut first: Pin<&mut A>,
    mut second: Pin<&mut B>,
) -> impl Future<Output = (A::Output, B::Output)> {
    let (mut first_output, mut second_output) = (None, None);
    poll_fn(move |cx| {
        if first_output.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(cx)
        {
            first_output = Some(output);
        }
        if second_output.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(cx)
        {
            second_output = Some(output);
        }
        match (first_output.take(), second_output.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (first, second) => {
                first_output = first;
                second_output = second;
                Poll::Pending
            }
        }
    })
}

/// Polls a future once, so that the request it makes is queued, and forgets it: for a ROLLBACK in a destructor.
pub(super) fn queue(request: impl Future) {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = pin!(request).poll(&mut cx);
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test]
    async fn the_first_is_polled_first_every_time() {
        let polled = RefCell::new(Vec::new());
        let future = |name: char, times: usize| {
            let mut left = times;
            let polled = &polled;
            poll_fn(move |cx| {
                polled.borrow_mut().push(name);
                if left == 0 {
                    return Poll::Ready(name);
                }
                left -= 1;
                cx.waker().wake_by_ref();
                Poll::Pending
            })
        };
        assert_eq!(
            in_order(pin!(future('a', 2)), pin!(future('b', 1))).await,
            ('a', 'b')
        );
        assert_eq!(polled.take(), ['a', 'b', 'a', 'b', 'a']);
    }
}
