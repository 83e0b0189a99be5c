//! Is there a pooler between us and the server?
//!
//! A server tells each new connection its backend's process id, for cancelling. A pooler tells an id of its own, because
//! the backend behind it changes. The driver keeps that id to itself, but writes it into a cancel request, so one is
//! written into memory and sent to nobody.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Client;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use crate::error::{Error, Result};

/// A cancel request: its length, its code, the process id, the secret key; four bytes each.
const CANCEL_REQUEST: usize = 16;

/// Whether the connection's own backend answers, and no other will.
pub(super) async fn is_direct(client: &Client) -> Result<bool> {
    let row = client
        .query_typed("SELECT pg_catalog.pg_backend_pid()", &[])
        .await;
    let failed = |cause| Error::postgres("ask for the backend's process id", cause);
    let rows = row.map_err(failed)?;
    let answering: Option<i32> = match rows.first() {
        Some(row) => Some(row.try_get(0).map_err(failed)?),
        None => None,
    };
    Ok(answering.is_some() && answering == announced(client).await)
}

/// The process id that the server announced when the connection was opened.
pub(super) async fn announced(client: &Client) -> Option<i32> {
    let mut paper = Paper::default();
    client
        .cancel_token()
        .cancel_query_raw(&mut paper, Folded)
        .await
        .ok()?;
    let request = paper
        .0
        .len()
        .checked_sub(CANCEL_REQUEST)
        .map(|start| &paper.0[start..])?;
    let process_id = request.get(8..12)?;
    Some(i32::from_be_bytes(process_id.try_into().ok()?))
}

/// Keeps what is written to it, and agrees to TLS when asked.
#[derive(Default)]
struct Paper(Vec<u8>);

impl AsyncRead for Paper {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buffer.put_slice(b"S");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Paper {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The TLS of what never leaves the process: none.
struct Folded;

impl<'p> TlsConnect<&'p mut Paper> for Folded {
    type Stream = &'p mut Paper;
    type Error = Infallible;
    type Future = Ready<std::result::Result<Self::Stream, Infallible>>;

    fn connect(self, stream: &'p mut Paper) -> Self::Future {
        ready(Ok(stream))
    }
}

impl TlsStream for &mut Paper {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
