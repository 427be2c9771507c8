//! Gives a reason to the errors that tonic itself answers with.

use tonic::{Code, Status};
use werkbuch_wire::reason::Reason;

/// How tonic words a message beyond the limit, up to the sizes that follow.
const TOO_LARGE: &str = "Error, decoded message length too large: ";
/// How it words one that grows beyond the limit when it is unpacked.
const UNPACKED_TOO_LARGE: &str = "Error decompressing: size limit, of ";

/// The status with a reason, if this one has none and is one that tonic makes when it cannot read a
/// request. Our own errors always carry details, so a bare "internal" is never ours.
pub(crate) fn explained(status: &Status) -> Option<Status> {
    if !status.details().is_empty() {
        return None;
    }
    match status.code() {
        Code::OutOfRange => {
            let sizes = status.message().strip_prefix(TOO_LARGE)?;
            let text = format!("the message is too large: {sizes}; send it in parts");
            Some(Reason::MessageTooLarge.status(text))
        }
        Code::ResourceExhausted if status.message().starts_with(UNPACKED_TOO_LARGE) => {
            Some(Reason::MessageTooLarge.status("the message is too large once it is unpacked"))
        }
        Code::Internal => {
            let text = format!("the request cannot be read: {}", status.message());
            Some(Reason::MalformedRequest.status(text))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_errors_of_reading_are_explained() {
        let large = "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes";
        for (status, reason) in [
            (Status::out_of_range(large), Some(Reason::MessageTooLarge)),
            (Status::out_of_range("beyond the end"), None),
            (
                Status::internal("failed to decode Protobuf message"),
                Some(Reason::MalformedRequest),
            ),
            (Status::unimplemented(""), None),
            (Reason::Internal.status("ours"), None),
            (Status::not_found("service not registered"), None),
        ] {
            let found = explained(&status);
            assert_eq!(found.as_ref().and_then(Reason::of), reason, "{status}");
        }
    }
}
