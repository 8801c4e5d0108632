//! File objects: `{name, data, mimeType, dataType: "FILE"}` (behaviours.md 13).

use super::Failed;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};

const TYPE: &str = "application/octet-stream";

/// Both alphabets come as one, and whatever padding there is: providers send all of them.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How a file's data is written down; the names are those of Node's `Buffer`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Encoding {
    #[default]
    Hex,
    Base64,
    Utf8,
    Latin1,
}

impl Encoding {
    /// What `X-Paragon-Encoding` says.
    pub(super) fn named(name: &str) -> Result<Self, Failed> {
        match name.trim().to_ascii_lowercase().as_str() {
            "hex" => Ok(Encoding::Hex),
            "base64" | "base64url" => Ok(Encoding::Base64),
            "utf8" | "utf-8" | "ascii" => Ok(Encoding::Utf8),
            "latin1" | "binary" => Ok(Encoding::Latin1),
            _ => Err(Failed::Encoding(name.to_owned())),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Encoding::Hex => "hex",
            Encoding::Base64 => "base64",
            Encoding::Utf8 => "utf8",
            Encoding::Latin1 => "latin1",
        }
    }

    /// About how many bytes so much text stands for.
    fn bytes_in(self, len: usize) -> usize {
        match self {
            Encoding::Hex => len / 2,
            Encoding::Base64 => len / 4 * 3,
            Encoding::Utf8 | Encoding::Latin1 => len,
        }
    }
}

/// A file that is to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) mime_type: &'a str,
    data: &'a str,
}

impl<'a> File<'a> {
    /// A value that must be a file: a file object, or just its data.
    pub(super) fn whole(value: &'a Value) -> Result<Self, Failed> {
        match value {
            Value::String(data) => Ok(Self { name: "", mime_type: TYPE, data }),
            Value::Object(_) => Self::object(value),
            Value::Null => Err(Failed::File("it has no value")),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                Err(Failed::File("it is neither a file object nor text"))
            }
        }
    }

    /// A value that may be one: an object that says so.
    pub(super) fn part(value: &'a Value) -> Result<Option<Self>, Failed> {
        match value.get("dataType").and_then(Value::as_str) {
            Some("FILE") => Self::object(value).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    fn object(value: &'a Value) -> Result<Self, Failed> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        if value.get("dataType").is_some_and(|kind| kind != "FILE") {
            return Err(Failed::File("its dataType is not FILE"));
        }
        let data = text("data").ok_or(Failed::File("it has no data"))?;
        // It stands in a header.
        let sendable = |kind: &&str| {
            kind.contains('/') && kind.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        };
        let mime_type = text("mimeType").filter(sendable).unwrap_or(TYPE);
        Ok(Self { name: text("name").unwrap_or_default(), mime_type, data })
    }

    /// Its bytes.
    pub(super) fn bytes(&self, encoding: Encoding, bytes_max: u64) -> Result<Vec<u8>, Failed> {
        if encoding.bytes_in(self.data.len()) as u64 > bytes_max {
            return Err(Failed::TooLarge { bytes_max });
        }
        let invalid = || Failed::Encoding(encoding.name().to_owned());
        match encoding {
            Encoding::Hex => hex::decode(self.data).map_err(|_| invalid()),
            Encoding::Base64 => {
                let plain = self.data.bytes().filter(|byte| !byte.is_ascii_whitespace());
                let plain: Vec<u8> = plain
                    .map(|byte| match byte {
                        b'+' => b'-',
                        b'/' => b'_',
                        byte => byte,
                    })
                    .collect();
                BASE64.decode(plain).map_err(|_| invalid())
            }
            Encoding::Utf8 => Ok(self.data.as_bytes().to_vec()),
            Encoding::Latin1 => {
                let bytes = self.data.chars().map(u8::try_from).collect::<Result<_, _>>();
                bytes.map_err(|_| invalid())
            }
        }
    }

    /// The file without its data.
    pub(super) fn shown(&self, encoding: Encoding) -> Value {
        json!({
            "name": self.name,
            "mimeType": self.mime_type,
            "dataType": "FILE",
            "size": encoding.bytes_in(self.data.len()),
        })
    }
}
