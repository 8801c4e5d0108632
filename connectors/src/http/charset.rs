//! Text in the encoding that it comes in.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How much of a document is looked at for its declaration, in bytes.
const DECLARATION_BYTES_MAX: usize = 200;

/// A body of the content type as text: in the charset that the type names, else in the one that an
/// XML document declares, else in UTF-8, or Windows-1252 if it cannot be that. A byte order mark
/// goes before all of them and is not part of the text.
pub(super) fn text(bytes: &[u8], content_type: &str) -> String {
    let named = parameter(content_type).or_else(|| declared(bytes, content_type));
    let encoding = named.unwrap_or(match std::str::from_utf8(bytes) {
        Ok(_) => UTF_8,
        Err(_) => WINDOWS_1252,
    });
    encoding.decode(bytes).0.into_owned()
}

fn parameter(content_type: &str) -> Option<&'static Encoding> {
    let charset = content_type.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })?;
    Encoding::for_label(charset.trim().trim_matches(['"', '\'']).as_bytes())
}

/// `<?xml … encoding="…"?>`
fn declared(bytes: &[u8], content_type: &str) -> Option<&'static Encoding> {
    let mime = content_type.split(';').next().unwrap_or_default().trim();
    if !mime.to_ascii_lowercase().ends_with("xml") || !bytes.starts_with(b"<?xml") {
        return None;
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES_MAX)]);
    let declaration = start.split("?>").next()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Encoding::for_label(value[1..].split(quote).next()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_text_comes_in_the_charset_that_is_named() {
        for (kind, bytes, expected) in [
            ("text/plain", &b"caf\xc3\xa9"[..], "café"),
            ("text/plain", b"caf\xe9 \x80", "café €"),
            ("text/plain; charset=ISO-8859-1", b"caf\xe9", "café"),
            ("text/plain; charset=\"windows-1251\"", b"\xef\xf0\xe8", "при"),
            ("text/html;Charset=Shift_JIS", b"\x93\xfa\x96{", "日本"),
            ("text/plain; charset=utf-16", b"\xff\xfea\x00", "a"),
            ("text/plain; charset=latin1", b"\xef\xbb\xbfa", "a"),
            ("text/plain; charset=nonsense", b"caf\xc3\xa9", "café"),
            ("text/plain; format=flowed; charset=gbk; x=y", b"\xc4\xe3", "你"),
            (
                "application/xml",
                b"<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>",
                "<?xml version='1.0' encoding='windows-1252'?><a>€</a>",
            ),
            ("text/plain", b"<?xml encoding='windows-1251'?>", "<?xml encoding='windows-1251'?>"),
        ] {
            assert_eq!(text(bytes, kind), expected, "{kind}");
        }
    }
}
