//! Sending many messages before reading the first answer.
//!
//! Each text is a message of its own, so that an error in one does not skip the next; their order on the wire is the
//! order of the list. That makes "savepoint, attack, look, roll back" one round trip, and a hundred attacks too.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::Transaction;

use super::reply::{self, Reply};
use crate::error::Result;

/// Messages in flight. Enough to hide the network, few enough that a wake-up stays cheap and memory flat.
const WINDOW: usize = 64;

/// Sends all `texts`; the answers come in the same order.
///
/// # Errors
///
/// Only where the connection broke.
pub(super) async fn send(transaction: &Transaction<'_>, texts: &[String]) -> Result<Vec<Reply>> {
    let mut replies = Vec::with_capacity(texts.len());
    for window in texts.chunks(WINDOW) {
        let futures = window.iter().map(|text| {
            Box::pin(transaction.simple_query(text)) as Pin<Box<dyn Future<Output = _> + Send + '_>>
        });
        for answer in in_order(futures.collect()).await {
            replies.push(reply::read(answer)?);
        }
    }
    Ok(replies)
}

/// Runs all futures at once, polling them in list order: a request is sent when its future is first polled, so the
/// order of the list is the order on the wire, whatever the combinators of a library promise.
async fn in_order<F: Future + Unpin>(futures: Vec<F>) -> Vec<F::Output> {
    let mut slots: Vec<(F, Option<F::Output>)> = futures.into_iter().map(|future| (future, None)).collect();
    let mut answered = 0;
    let mut sent = false;
    poll_fn(move |context| {
        for (index, (future, output)) in slots.iter_mut().enumerate().skip(answered) {
            if output.is_none() {
                match Pin::new(future).poll(context) {
                    Poll::Ready(value) => *output = Some(value),
                    // Answers come in order: behind the first that is missing there is nothing to fetch yet.
                    Poll::Pending if sent => break,
                    Poll::Pending => continue,
                }
            }
            if index == answered {
                answered += 1;
            }
        }
        sent = true;
        if answered < slots.len() {
            return Poll::Pending;
        }
        Poll::Ready(slots.iter_mut().filter_map(|(_, output)| output.take()).collect())
    })
    .await
}
