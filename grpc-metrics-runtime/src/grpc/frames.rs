//! gRPC over HTTP/2, `Length-Prefixed-Message`: how many messages a body holds, and how long they are.

/// A flag and the length.
const PREFIX: u8 = 5;
const PREFIX_LEN: usize = PREFIX as usize;

/// Reads along, wherever the data is split.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Bytes of the prefix that were read.
    read: u8,
    /// Bytes of the message that are due; in the prefix, what was read of them.
    due: u32,
}

/// What a piece of data has added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    /// Messages that are complete.
    pub(crate) messages: u64,
    /// Bytes of messages, as they travel, without their prefixes.
    pub(crate) bytes: u64,
}

impl Frames {
    #[inline]
    pub(crate) fn read(&mut self, data: &[u8]) -> Added {
        if self.read == 0
            && let Some(&[_, a, b, c, d]) = data.first_chunk::<PREFIX_LEN>()
            && let length = u64::from(u32::from_be_bytes([a, b, c, d]))
            && (data.len() - PREFIX_LEN) as u64 == length
        {
            // One whole message, as most are.
            return Added { messages: 1, bytes: length };
        }
        self.read_split(data)
    }

    fn read_split(&mut self, mut data: &[u8]) -> Added {
        let mut added = Added::default();
        while let Some((first, rest)) = data.split_first() {
            if self.read == 0
                && let Some((&[_, a, b, c, d], rest)) = data.split_first_chunk::<PREFIX_LEN>()
            {
                (self.read, self.due) = (PREFIX, u32::from_be_bytes([a, b, c, d]));
                data = rest;
            } else if self.read < PREFIX {
                self.read += 1;
                // The flag leaves on the left.
                self.due = self.due << 8 | u32::from(*first);
                data = rest;
            } else {
                let len = usize::try_from(self.due).unwrap_or(usize::MAX).min(data.len());
                self.due -= u32::try_from(len).unwrap_or(self.due);
                added.bytes += len as u64;
                data = &data[len..];
            }
            if self.read == PREFIX && self.due == 0 {
                self.read = 0;
                added.messages += 1;
            }
        }
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k7_messages_are_found_wherever_the_data_is_split() {
        let body = b"\0\0\0\0\x02ab\x01\0\0\0\0\0\0\0\x01\0".as_slice();
        let body = [body, &[7; 256], b"\0\0\0\0\x01"].concat();
        // Two bytes, none, 256; and the prefix of one that does not come.
        for size in 1..=body.len() {
            let mut frames = Frames::default();
            let added = body.chunks(size).map(|data| frames.read(data));
            let sum = added.fold(Added::default(), |sum, added| Added {
                messages: sum.messages + added.messages,
                bytes: sum.bytes + added.bytes,
            });
            assert_eq!(sum, Added { messages: 3, bytes: 258 }, "{size}");
        }
    }
}
