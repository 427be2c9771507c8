//! Messages that carry events as the bytes they are stored in.
//!
//! On the wire `repeated Event` and `repeated bytes` are the same; here the latter is used, so that
//! events are decoded by `record`, strictly, or not at all.

use crate::pb::Reflected;
use bytes::{Buf, BufMut, Bytes};
use prost::DecodeError;
use prost::encoding::{self, DecodeContext, WireType, skip_field, uint64};

/// A batch of events of one source, each the bytes of an `Event`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppendRequest {
    /// The handle given by `OpenSource`.
    pub session: u64,
    /// The events, each the bytes of an `Event`.
    pub events: Vec<Bytes>,
    /// The bodies of the sample batches among the events.
    pub bodies: Vec<Bytes>,
    /// The number of a field that the message does not have, if one came: a reason to refuse it.
    pub unknown_field: Option<u32>,
}

impl prost::Message for AppendRequest {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        if self.session != 0 {
            uint64::encode(1, &self.session, buf);
        }
        encoding::bytes::encode_repeated(2, &self.events, buf);
        encoding::bytes::encode_repeated(3, &self.bodies, buf);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            1 => uint64::merge(wire, &mut self.session, buf, context),
            2 => encoding::bytes::merge_repeated(wire, &mut self.events, buf, context),
            3 => encoding::bytes::merge_repeated(wire, &mut self.bodies, buf, context),
            unknown => {
                self.unknown_field = Some(unknown);
                skip_field(wire, tag, buf, context)
            }
        }
    }

    fn encoded_len(&self) -> usize {
        let session = if self.session == 0 {
            0
        } else {
            uint64::encoded_len(1, &self.session)
        };
        session
            + encoding::bytes::encoded_len_repeated(2, &self.events)
            + encoding::bytes::encoded_len_repeated(3, &self.bodies)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A page of events, each the bytes of a `RecordedEvent`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListEventsResponse {
    /// The events, exactly as they are stored (apart from revealed fields).
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub events: Vec<Bytes>,
    /// Where to go on; empty on the last page.
    #[prost(string, tag = "2")]
    pub next_page_token: String,
    /// What the answer reflects.
    #[prost(message, optional, tag = "3")]
    pub reflected: Option<Reflected>,
    /// How many events the log holds up to the position reflected.
    #[prost(uint64, tag = "4")]
    pub log_size: u64,
}

/// More events, each the bytes of a `RecordedEvent`, or a heartbeat.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TailEventsResponse {
    /// The events; none in a heartbeat.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub events: Vec<Bytes>,
    /// The position up to which everything wanted has been sent.
    #[prost(uint64, tag = "2")]
    pub position: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use prost::Message;

    #[test]
    fn unknown_fields_are_noticed_and_the_rest_is_read() {
        let request = AppendRequest {
            session: 9,
            events: vec![Bytes::from_static(b"ab"), Bytes::new()],
            bodies: vec![Bytes::from_static(b"x")],
            unknown_field: None,
        };
        let mut wire = request.encode_to_vec();
        assert_eq!(AppendRequest::decode(wire.as_slice()).unwrap(), request);
        assert_eq!(request.encoded_len(), wire.len());
        wire.extend([0x7a, 0x01, 0x00]);
        let read = AppendRequest::decode(wire.as_slice()).unwrap();
        assert_eq!(read.unknown_field, Some(15));
        assert_eq!(read.events, request.events);
    }
}
