//! A codec that notices messages which can't be decoded.

use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};

use super::pending;
use crate::rpc::Undecodable;

/// The codec of a call whose response is a stream.
#[derive(Debug)]
pub struct ClientCodec<C> {
    inner: C,
    undecodable: Option<Undecodable>,
}

impl<C> ClientCodec<C> {
    /// The codec of the pending RPC.
    pub(super) fn new(inner: C) -> Self {
        let undecodable = pending::take().map(|mut rpc| {
            let undecodable = rpc.undecodable();
            pending::give_back(rpc);
            undecodable
        });
        Self { inner, undecodable }
    }
}

impl<C: Codec> Codec for ClientCodec<C> {
    type Encode = C::Encode;
    type Decode = C::Decode;
    type Encoder = C::Encoder;
    type Decoder = ClientDecoder<C::Decoder>;

    fn encoder(&mut self) -> Self::Encoder {
        self.inner.encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        ClientDecoder { inner: self.inner.decoder(), undecodable: self.undecodable.take() }
    }
}

/// The decoder of a [`ClientCodec`].
#[derive(Debug)]
pub struct ClientDecoder<D> {
    inner: D,
    undecodable: Option<Undecodable>,
}

impl<D: Decoder<Error = Status>> Decoder for ClientDecoder<D> {
    type Item = D::Item;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<D::Item>, Status> {
        self.inner.decode(src).inspect_err(|status| {
            if let Some(undecodable) = &self.undecodable {
                // The first one counts.
                let _ = undecodable.set(status.code());
            }
        })
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.inner.buffer_settings()
    }
}
