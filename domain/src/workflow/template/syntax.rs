//! The grammar of `{{…}}`. Nothing here allocates, except for a key with a backslash in it.

use std::borrow::Cow;

/// How long `{{…}}` may be; longer ones stay text. It keeps the work on hostile text linear.
pub const VARIABLE_BYTES_MAX: usize = 512;

/// Roots that no step may be called.
pub(crate) const RESERVED: [&str; 5] = ["trigger", "settings", "userSettings", "secrets", "self"];

/// A part of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// A variable.
    Variable(Variable<'a>),
    /// Balanced braces around something that is no variable.
    Unreadable(&'a str),
}

/// One `{{…}}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Variable<'a> {
    /// What the path starts from.
    pub(crate) root: &'a str,
    /// The path, well formed, as it was written.
    path: &'a str,
    /// All of it, braces included.
    pub(crate) text: &'a str,
}

impl<'a> Variable<'a> {
    /// The keys and indexes of the path.
    pub(crate) fn segments(&self) -> Segments<'a> {
        Segments { rest: self.path }
    }
}

/// Whether it is digits and nothing else.
pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where the first `{{` is.
pub(super) fn find_open(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find('{')) {
        let at = from + at;
        if text.as_bytes().get(at + 1) == Some(&b'{') {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The variable, when the text is one and nothing else.
pub(super) fn alone(text: &str) -> Option<Variable<'_>> {
    if !text.starts_with("{{") || text.as_bytes().get(2) == Some(&b'{') {
        return None;
    }
    match parse(text) {
        Parsed::Variable(variable) if variable.text.len() == text.len() => Some(variable),
        Parsed::Variable(_) | Parsed::Unreadable(_) | Parsed::Unclosed => None,
    }
}

/// The parts of a text, in order. Together they are the whole text, less the backslashes that
/// keep braces from being a variable.
pub(crate) fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text, literal_braces: false }
}

/// Iterates over the parts of a text.
pub(crate) struct Pieces<'a> {
    rest: &'a str,
    /// Whether the `{{` that `rest` begins with had a backslash before it.
    literal_braces: bool,
}

impl<'a> Pieces<'a> {
    fn text(&mut self, len: usize, rest: usize) -> Option<Piece<'a>> {
        let piece = Piece::Text(&self.rest[..len]);
        self.rest = &self.rest[rest..];
        Some(piece)
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        if std::mem::take(&mut self.literal_braces) {
            return self.text(2, 2);
        }
        let Some(open) = find_open(self.rest) else {
            return self.text(self.rest.len(), self.rest.len());
        };
        let bytes = self.rest.as_bytes();
        let backslashes = bytes[..open].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes > 0 {
            self.literal_braces = backslashes % 2 == 1;
            return self.text(open - backslashes.div_ceil(2), open);
        }
        // Of a run of braces the last two open.
        let run = bytes[open..].iter().take_while(|byte| **byte == b'{').count();
        let open = open + run - 2;
        if open > 0 {
            return self.text(open, open);
        }
        match parse(self.rest) {
            Parsed::Variable(variable) => {
                self.rest = &self.rest[variable.text.len()..];
                Some(Piece::Variable(variable))
            }
            Parsed::Unreadable(len) => {
                let piece = Piece::Unreadable(&self.rest[..len]);
                self.rest = &self.rest[len..];
                Some(piece)
            }
            Parsed::Unclosed => self.text(2, 2),
        }
    }
}

enum Parsed<'a> {
    Variable(Variable<'a>),
    /// Braces and something else, so many bytes long.
    Unreadable(usize),
    Unclosed,
}

/// Reads the variable at the start of a text that begins with `{{`.
fn parse(text: &str) -> Parsed<'_> {
    let bytes = text.as_bytes();
    let bytes = &bytes[..bytes.len().min(VARIABLE_BYTES_MAX)];
    let root_end = word_end(bytes, 2);
    let mut at = root_end;
    loop {
        match bytes.get(at) {
            Some(b'.') => {
                let end = word_end(bytes, at + 1);
                if bytes[at + 1..end].trim_ascii().is_empty() {
                    return unreadable(bytes, at);
                }
                at = end;
            }
            Some(b'[') => match bracket_end(bytes, at) {
                Some(end) => at = end,
                None => return unreadable(bytes, at),
            },
            Some(b'}') if bytes.get(at + 1) == Some(&b'}') => break,
            Some(_) => return unreadable(bytes, at),
            None => return Parsed::Unclosed,
        }
    }
    let root = text[2..root_end].trim_ascii();
    if root.is_empty() {
        return Parsed::Unreadable(at + 2);
    }
    Parsed::Variable(Variable {
        root,
        path: text[root_end..at].trim_ascii(),
        text: &text[..at + 2],
    })
}

/// Where a root or key that starts at `from` ends.
fn word_end(bytes: &[u8], from: usize) -> usize {
    let is_end = |byte: &u8| matches!(byte, b'.' | b'[' | b']' | b'{' | b'}');
    bytes[from..].iter().position(is_end).map_or(bytes.len(), |len| from + len)
}

/// Where `[…]` that starts at `from` ends, with the blanks after it; `None` if it is no index or
/// quoted key.
fn bracket_end(bytes: &[u8], from: usize) -> Option<usize> {
    let blanks = |at: usize| bytes[at..].iter().take_while(|byte| **byte == b' ').count();
    let start = from + 1 + blanks(from + 1);
    let end = match bytes.get(start)? {
        b'"' | b'\'' => quote_end(bytes, start)?,
        b'0'..=b'9' => start + bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count(),
        _ => return None,
    };
    let close = end + blanks(end);
    (bytes.get(close) == Some(&b']')).then(|| close + 1 + blanks(close + 1))
}

/// The byte after the quote that closes the one at `from`.
fn quote_end(bytes: &[u8], from: usize) -> Option<usize> {
    let quote = bytes[from];
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Something that is no variable, from `from` on: unreadable if it is closed all the same.
fn unreadable<'a>(bytes: &[u8], from: usize) -> Parsed<'a> {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => return Parsed::Unclosed,
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Parsed::Unreadable(at + 2),
            _ => at += 1,
        }
    }
    Parsed::Unclosed
}

/// Iterates over the keys and indexes of a well-formed path.
#[derive(Clone)]
pub(crate) struct Segments<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let bytes = self.rest.as_bytes();
        let path = self.rest;
        match bytes.first()? {
            b'.' => {
                let end = word_end(bytes, 1);
                self.rest = &path[end..];
                Some(Cow::Borrowed(path[1..end].trim_ascii()))
            }
            b'[' => {
                let end = bracket_end(bytes, 0)?;
                self.rest = &path[end..];
                let inside = path[..end].trim_ascii_end();
                Some(key(inside[1..inside.len() - 1].trim_ascii()))
            }
            _ => None,
        }
    }
}

/// The inside of brackets: an index, or a quoted key.
fn key(inside: &str) -> Cow<'_, str> {
    if !inside.starts_with(['"', '\'']) {
        return Cow::Borrowed(inside);
    }
    let quoted = &inside[1..inside.len() - 1];
    if !quoted.contains('\\') {
        return Cow::Borrowed(quoted);
    }
    let mut key = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.extend(characters.next()),
            other => key.push(other),
        }
    }
    Cow::Owned(key)
}
