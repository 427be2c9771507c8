//! Reads what strace wrote down: the system calls of all threads, in the order in which it saw them.

use std::collections::BTreeMap;

/// A system call on a file or socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// What its first argument names: a path, or a socket's own name.
    pub(crate) on: String,
    /// The bytes that were handed over, as many as were taken.
    pub(crate) bytes: Vec<u8>,
    /// The lines in which it began and returned. A thread is held at both until they are written.
    pub(crate) began: usize,
    pub(crate) returned: usize,
    pub(crate) result: i64,
}

/// The calls of a trace by `strace -f -y -xx`, in the order of their return.
pub(crate) fn read(trace: &str) -> Vec<Call> {
    let mut open: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut calls = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, what)) = text.split_once(' ') else {
            continue;
        };
        let what = what.trim_start();
        if let Some(begun) = what.strip_suffix("<unfinished ...>") {
            open.insert(thread, (line, begun.to_owned()));
        } else if what.starts_with("<... ") {
            if let Some((began, begun)) = open.remove(thread) {
                let rest = what.split_once(" resumed>").map_or("", |(_, rest)| rest);
                calls.extend(call(&format!("{begun}{rest}"), began, line));
            }
        } else {
            calls.extend(call(what, line, line));
        }
    }
    calls
}

fn call(text: &str, began: usize, returned: usize) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let result: i64 = result.split(' ').next()?.parse().ok()?;
    let on = arguments.split_once('<')?.1.split_once('>')?.0;
    // Every second piece between quotation marks is a text, in hexadecimal digits.
    let texts = arguments.split('"').skip(1).step_by(2);
    let mut bytes: Vec<u8> = texts.flat_map(unescape).collect();
    bytes.truncate(usize::try_from(result).unwrap_or(0));
    Some(Call {
        name: name.to_owned(),
        on: String::from_utf8(unescape(on)).ok()?,
        bytes,
        began,
        returned,
        result,
    })
}

/// The bytes of `\x77\x61`.
fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.split("\\x").skip(1);
    bytes
        .filter_map(|two| u8::from_str_radix(two.get(..2)?, 16).ok())
        .collect()
}

/// What a server sent on one connection: the messages of gRPC on each stream of HTTP/2, with the line in
/// which the call began that sent the first byte of the message.
pub(crate) fn messages(calls: &[Call], socket: &str) -> Vec<(u32, usize, Vec<u8>)> {
    let sent = calls
        .iter()
        .filter(|call| call.on == socket && call.result > 0);
    let mut sent: Vec<_> = sent.collect();
    sent.sort_by_key(|call| call.began);
    let bytes: Vec<(u8, usize)> = sent
        .iter()
        .flat_map(|call| call.bytes.iter().map(|byte| (*byte, call.began)))
        .collect();
    let mut streams: BTreeMap<u32, Vec<(u8, usize)>> = BTreeMap::new();
    let mut rest = bytes.as_slice();
    while rest.len() >= 9 {
        let head: Vec<u8> = rest[..9].iter().map(|(byte, _)| *byte).collect();
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        let Some(frame) = rest.get(9..9 + length) else {
            break;
        };
        // Type 0: data.
        if head[3] == 0 {
            streams.entry(stream).or_default().extend(frame);
        }
        rest = &rest[9 + length..];
    }
    let mut found = Vec::new();
    for (stream, data) in streams {
        let mut data = data.as_slice();
        while data.len() >= 5 {
            let length: Vec<u8> = data[1..5].iter().map(|(byte, _)| *byte).collect();
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            let message = data[5..5 + length].iter().map(|(byte, _)| *byte).collect();
            found.push((stream, data[0].1, message));
            data = &data[5 + length..];
        }
    }
    found
}

#[test]
fn calls_are_read_whole_and_in_two_parts() {
    let trace = "7 pwrite64(5<\\x2f\\x61>, \"\\x68\\x69\", 2, 8 <unfinished ...>\n\
                 8 +++ exited with 0 +++\n\
                 8 writev(6<\\x73>, [{iov_base=\"\\x01\\x02\", iov_len=2}, {iov_base=\"\\x03\", iov_len=1}], 2) = 2\n\
                 7 <... pwrite64 resumed>)           = 2\n\
                 7 fdatasync(5<\\x2f\\x61>)   = -1 EIO (Input/output error)\n";
    let read = read(trace);
    let call = |name: &str, on: &str, bytes: &[u8], began, returned, result| Call {
        name: name.into(),
        on: on.into(),
        bytes: bytes.to_vec(),
        began,
        returned,
        result,
    };
    let expected = [
        call("writev", "s", &[1, 2], 2, 2, 2),
        call("pwrite64", "/a", b"hi", 0, 3, 2),
        call("fdatasync", "/a", b"", 4, 4, -1),
    ];
    assert_eq!(read, expected);
}

#[test]
fn messages_are_put_together_from_frames() {
    let call = |bytes: &[u8], began| Call {
        on: "s".into(),
        bytes: bytes.to_vec(),
        result: bytes.len() as i64,
        began,
        ..Call::default()
    };
    let calls = [
        // Settings, then a message of 3 bytes on stream 3 in two frames, the second in another call.
        call(
            &[
                0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3, b'a',
            ],
            4,
        ),
        call(&[0, 0, 2, 0, 1, 0, 0, 0, 3, b'b', b'c'], 9),
        Call {
            on: "other".into(),
            ..call(&[9; 40], 5)
        },
    ];
    assert_eq!(messages(&calls, "s"), [(3, 4, b"abc".to_vec())]);
}
