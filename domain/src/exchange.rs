//! A step's input and output as one byte string, as it is sealed.
//!
//! The length of the input (four bytes, big end first), the input as JSON, the output as JSON: the
//! output, which later steps refer to, can be cut out without reading the input.

use serde_json::Value;

const HEAD_LEN: usize = 4;

/// The input has 4 GiB or more: far over what any project may allow a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a step's input of {len} bytes is too long to be kept")]
pub struct Oversize {
    /// Length of the input as JSON, in bytes.
    pub len: usize,
}

/// The bytes are no input and output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{len} bytes are no input and output of a step")]
pub struct Torn {
    /// Length of what was found, in bytes.
    pub len: usize,
}

/// Input and output as bytes.
///
/// # Errors
/// The input has 4 GiB or more.
pub fn pack(input: &Value, output: &Value) -> Result<Vec<u8>, Oversize> {
    join(input.to_string().as_bytes(), output.to_string().as_bytes())
}

/// The same of values that are JSON already.
///
/// # Errors
/// The input has 4 GiB or more.
pub fn join(input: &[u8], output: &[u8]) -> Result<Vec<u8>, Oversize> {
    let len = u32::try_from(input.len()).map_err(|_| Oversize { len: input.len() })?;
    let mut bytes = Vec::with_capacity(HEAD_LEN + input.len() + output.len());
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(input);
    bytes.extend_from_slice(output);
    Ok(bytes)
}

/// Input and output, each as JSON. Nothing is parsed.
///
/// # Errors
/// The bytes are shorter than they say.
pub fn unpack(bytes: &[u8]) -> Result<(&[u8], &[u8]), Torn> {
    let torn = Torn { len: bytes.len() };
    let (head, rest) = bytes.split_first_chunk::<HEAD_LEN>().ok_or(torn)?;
    let len = usize::try_from(u32::from_be_bytes(*head)).map_err(|_| torn)?;
    rest.split_at_checked(len).ok_or(torn)
}

/// Bytes of the input and of the output, as events count them; huge ones count as the largest.
pub fn sizes(bytes: &[u8]) -> (i32, i32) {
    let len = |part: &[u8]| i32::try_from(part.len()).unwrap_or(i32::MAX);
    unpack(bytes).map_or((0, 0), |(input, output)| (len(input), len(output)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn input_and_output_come_back_as_they_went_in() {
        let (input, output) = (json!({ "url": "https://a.example" }), json!({ "response": [1] }));
        let bytes = pack(&input, &output).unwrap();
        let (i, o) = unpack(&bytes).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(i).unwrap(), input);
        assert_eq!(serde_json::from_slice::<Value>(o).unwrap(), output);
    }

    #[test]
    fn the_bytes_are_length_input_output() {
        let bytes = pack(&json!(12), &json!("x")).unwrap();
        assert_eq!(bytes, b"\0\0\0\x0212\"x\"");
    }

    #[test]
    fn the_output_is_found_even_if_the_input_is_no_json() {
        let bytes = join(b"\xff\xfe", b"null").unwrap();
        assert_eq!(unpack(&bytes), Ok((&b"\xff\xfe"[..], &b"null"[..])));
    }

    #[test]
    fn bytes_shorter_than_they_say_are_torn() {
        let bytes = pack(&json!("input"), &json!(1)).unwrap();
        for len in 0..4 + 7 {
            assert_eq!(unpack(&bytes[..len]), Err(Torn { len }));
        }
        assert!(unpack(&bytes[..4 + 7]).is_ok());
    }
}
