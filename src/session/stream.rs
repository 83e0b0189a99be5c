//! Streams that cannot outlive their transaction: rows, and the data of COPY.
//!
//! tokio-postgres's own streams are not tied to anything. One that was kept would hold up whoever uses the connection
//! next, so these borrow the transaction. Dropped before its end, a stream is read to its end in the background before
//! the connection does anything else.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::future::BoxFuture;
use futures_util::{Sink, Stream};
use tokio_postgres::Row;

use super::core::Core;
use crate::error::{Error, Result};

/// Rows as they arrive.
pub struct RowStream<'t> {
    core: &'t Core<'t>,
    inner: Pin<Box<tokio_postgres::RowStream>>,
    done: bool,
}

impl<'t> RowStream<'t> {
    pub(super) fn new(core: &'t Core<'t>, inner: tokio_postgres::RowStream) -> Self {
        Self {
            core,
            inner: Box::pin(inner),
            done: false,
        }
    }

    /// How many rows the statement returned or changed; known when the stream has ended.
    pub fn rows_affected(&self) -> Option<u64> {
        self.inner.rows_affected()
    }
}

impl Stream for RowStream<'_> {
    type Item = Result<Row>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Row>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let next = ready!(self.inner.as_mut().poll_next(cx));
        if !matches!(next, Some(Ok(_))) {
            self.done = true;
        }
        Poll::Ready(next.map(|row| row.map_err(|cause| self.core.failed(cause))))
    }
}

impl Drop for RowStream<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.core.mark_abandoned();
        }
    }
}

impl fmt::Debug for RowStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream").finish_non_exhaustive()
    }
}

/// Rows of a one-shot call as they arrive. COMMIT is sent behind the last one; the stream ends when it is confirmed, and
/// its error is the last item. Dropped before, the transaction is rolled back.
pub struct TenantRowStream<'a>(Whole<'a>);

enum Whole<'a> {
    Reading(Box<Core<'a>>, Pin<Box<tokio_postgres::RowStream>>),
    Committing(BoxFuture<'a, Result<()>>),
    Done,
}

impl<'a> TenantRowStream<'a> {
    pub(super) fn new(core: Core<'a>, inner: tokio_postgres::RowStream) -> Self {
        Self(Whole::Reading(Box::new(core), Box::pin(inner)))
    }
}

impl Stream for TenantRowStream<'_> {
    type Item = Result<Row>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Row>>> {
        loop {
            match &mut self.0 {
                Whole::Reading(core, rows) => match ready!(rows.as_mut().poll_next(cx)) {
                    Some(Ok(row)) => return Poll::Ready(Some(Ok(row))),
                    Some(Err(cause)) => {
                        let error = core.failed(cause);
                        self.0 = Whole::Done;
                        return Poll::Ready(Some(Err(error)));
                    }
                    None => {
                        if let Whole::Reading(core, _) = std::mem::replace(&mut self.0, Whole::Done) {
                            self.0 = Whole::Committing(Box::pin(async move { core.commit().await }));
                        }
                    }
                },
                Whole::Committing(commit) => {
                    let committed = ready!(commit.as_mut().poll(cx));
                    self.0 = Whole::Done;
                    return Poll::Ready(committed.err().map(Err));
                }
                Whole::Done => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for TenantRowStream<'_> {
    fn drop(&mut self) {
        if let Whole::Reading(core, _) = &self.0 {
            core.mark_abandoned();
        }
    }
}

impl fmt::Debug for TenantRowStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantRowStream").finish_non_exhaustive()
    }
}

/// The data of `COPY … TO STDOUT`.
pub struct CopyOutStream<'t> {
    core: &'t Core<'t>,
    inner: Pin<Box<tokio_postgres::CopyOutStream>>,
    done: bool,
}

impl<'t> CopyOutStream<'t> {
    pub(super) fn new(core: &'t Core<'t>, inner: tokio_postgres::CopyOutStream) -> Self {
        Self {
            core,
            inner: Box::pin(inner),
            done: false,
        }
    }
}

impl Stream for CopyOutStream<'_> {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let next = ready!(self.inner.as_mut().poll_next(cx));
        if !matches!(next, Some(Ok(_))) {
            self.done = true;
        }
        Poll::Ready(next.map(|data| data.map_err(|cause| self.core.failed(cause))))
    }
}

impl Drop for CopyOutStream<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.core.mark_abandoned();
        }
    }
}

impl fmt::Debug for CopyOutStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyOutStream").finish_non_exhaustive()
    }
}

/// Where the data of `COPY … FROM STDIN` goes. Dropped before [`finish`](Self::finish), nothing is copied.
pub struct CopyInSink<'t, U: Buf + Send + 'static> {
    core: &'t Core<'t>,
    inner: Pin<Box<tokio_postgres::CopyInSink<U>>>,
    done: bool,
}

impl<'t, U: Buf + Send + 'static> CopyInSink<'t, U> {
    pub(super) fn new(core: &'t Core<'t>, inner: tokio_postgres::CopyInSink<U>) -> Self {
        Self {
            core,
            inner: Box::pin(inner),
            done: false,
        }
    }

    /// Completes the copy and says how many rows were copied.
    pub async fn finish(mut self) -> Result<u64> {
        let finished = self.inner.as_mut().finish().await;
        self.done = true;
        finished.map_err(|cause| self.core.failed(cause))
    }
}

impl<U: Buf + Send + 'static> Sink<U> for CopyInSink<'_, U> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let ready = ready!(self.inner.as_mut().poll_ready(cx));
        Poll::Ready(ready.map_err(|cause| self.core.failed(cause)))
    }

    fn start_send(mut self: Pin<&mut Self>, item: U) -> Result<()> {
        let sent = self.inner.as_mut().start_send(item);
        sent.map_err(|cause| self.core.failed(cause))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = ready!(self.inner.as_mut().poll_flush(cx));
        Poll::Ready(flushed.map_err(|cause| self.core.failed(cause)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let closed = ready!(self.inner.as_mut().poll_close(cx));
        self.done = true;
        Poll::Ready(closed.map_err(|cause| self.core.failed(cause)))
    }
}

impl<U: Buf + Send + 'static> Drop for CopyInSink<'_, U> {
    fn drop(&mut self) {
        if !self.done {
            self.core.mark_abandoned();
        }
    }
}

impl<U: Buf + Send + 'static> fmt::Debug for CopyInSink<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyInSink").finish_non_exhaustive()
    }
}
