//! XML bodies.
//!
//! A text stays as it is written; what its variables bring in is escaped, so that data cannot become
//! markup. A text that is one variable is the document itself, or the object that is turned into
//! one. Objects are written as `fast-xml-parser` writes and reads them: `@_name` is an attribute,
//! `#text` the text beside it, `?xml` the declaration, and an array is an element repeated. An object
//! is a set: its elements are written in the order of their names. Where a schema wants another
//! order, the document is written as a text.

use super::Failed;
use domain::workflow::Scope;
use domain::workflow::template::{TextPiece, is_one_variable, resolve_borrowed, resolve_pieces};
use serde_json::{Map, Value};

const ATTRIBUTE: &str = "@_";
const TEXT: &str = "#text";
const DECLARATION: &str = "?xml";

/// The document that a template stands for; empty where its variable has no value.
pub(super) fn document(
    template: &Value,
    scope: &Scope,
    bytes_max: usize,
) -> Result<String, Failed> {
    let mut writer = Writer { out: String::new(), bytes_max };
    match template {
        Value::String(text) if !is_one_variable(text.trim()) => {
            let pieces = resolve_pieces(text, scope, bytes_max)?;
            writer.pieces(&pieces)?;
        }
        template => {
            let trimmed = template.as_str().map(|text| Value::String(text.trim().to_owned()));
            let template = trimmed.as_ref().unwrap_or(template);
            match resolve_borrowed(template, scope, bytes_max)?.as_ref() {
                Value::Null => {}
                Value::String(text) => writer.push(text)?,
                Value::Object(entries) => writer.root(entries)?,
                Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                    return Err(invalid("it is neither text nor an object"));
                }
            }
        }
    }
    Ok(writer.out)
}

fn invalid(reason: impl Into<String>) -> Failed {
    Failed::Xml(reason.into())
}

struct Writer {
    out: String,
    bytes_max: usize,
}

impl Writer {
    fn push(&mut self, text: &str) -> Result<(), Failed> {
        if self.out.len() + text.len() > self.bytes_max {
            return Err(Failed::TooLarge { bytes_max: self.bytes_max as u64 });
        }
        self.out.push_str(text);
        Ok(())
    }

    fn pieces(&mut self, pieces: &[TextPiece<'_>]) -> Result<(), Failed> {
        let mut in_cdata = false;
        for piece in pieces {
            match piece {
                TextPiece::Written(text) => {
                    let (opened, closed) = (text.rfind("<![CDATA["), text.rfind("]]>"));
                    in_cdata = match (opened, closed) {
                        (None, None) => in_cdata,
                        (opened, closed) => opened > closed,
                    };
                    self.push(text)?;
                }
                // Nothing is escaped there; only its end cannot stand in it.
                TextPiece::Brought(text) if in_cdata => {
                    check(text)?;
                    self.push(&text.replace("]]>", "]]]]><![CDATA[>"))?;
                }
                TextPiece::Brought(text) => self.escaped(text)?,
            }
        }
        Ok(())
    }

    /// Text where text or an attribute's value may stand.
    fn escaped(&mut self, text: &str) -> Result<(), Failed> {
        check(text)?;
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'', '\r', '\n', '\t']) {
            self.push(&rest[..at])?;
            self.push(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\'' => "&apos;",
                // A parser takes these for blanks in attributes, and for a line end elsewhere.
                b'\r' => "&#13;",
                b'\n' => "&#10;",
                _ => "&#9;",
            })?;
            rest = &rest[at + 1..];
        }
        self.push(rest)
    }

    fn root(&mut self, entries: &Map<String, Value>) -> Result<(), Failed> {
        if let Some(declaration) = entries.get(DECLARATION) {
            self.push("<?xml")?;
            // XML 1.0, 2.8 wants them in this order.
            for name in ["version", "encoding", "standalone"] {
                if let Some(value) = declaration.get(format!("{ATTRIBUTE}{name}")) {
                    self.attribute(name, value)?;
                }
            }
            self.push("?>")?;
        }
        let mut elements = entries.iter().filter(|(name, _)| *name != DECLARATION);
        let one = "an XML document has one root element";
        match (elements.next(), elements.next()) {
            (Some((_, Value::Array(items))), None) if items.len() != 1 => Err(invalid(one)),
            (Some((name, value)), None) => self.element(name, value),
            _ => Err(invalid(one)),
        }
    }

    fn element(&mut self, name: &str, value: &Value) -> Result<(), Failed> {
        if let Value::Array(items) = value {
            return items.iter().try_for_each(|item| self.element(name, item));
        }
        if !is_name(name) {
            return Err(invalid(format!("{name:?} is no name of an element")));
        }
        self.push("<")?;
        self.push(name)?;
        self.attributes(value)?;
        self.push(">")?;
        match value {
            Value::Null => {}
            Value::String(text) => self.escaped(text)?,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                self.push(&value.to_string())?;
            }
            Value::Object(entries) => {
                for (key, inner) in entries.iter().filter(|(key, _)| !key.starts_with(ATTRIBUTE)) {
                    match key.as_str() {
                        TEXT => self.escaped(&plain(inner)?)?,
                        name => self.element(name, inner)?,
                    }
                }
            }
        }
        self.push("</")?;
        self.push(name)?;
        self.push(">")
    }

    fn attributes(&mut self, value: &Value) -> Result<(), Failed> {
        let entries = value.as_object().into_iter().flatten();
        let own = entries.filter_map(|(key, value)| Some((key.strip_prefix(ATTRIBUTE)?, value)));
        for (name, value) in own.filter(|(_, value)| !value.is_null()) {
            self.attribute(name, value)?;
        }
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &Value) -> Result<(), Failed> {
        if !is_name(name) {
            return Err(invalid(format!("{name:?} is no name of an attribute")));
        }
        self.push(" ")?;
        self.push(name)?;
        self.push("=\"")?;
        self.escaped(&plain(value)?)?;
        self.push("\"")
    }
}

/// A value that is one text.
fn plain(value: &Value) -> Result<String, Failed> {
    match value {
        Value::Array(_) | Value::Object(_) => {
            Err(invalid("an attribute and a text are no arrays and no objects"))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Ok(super::parts::text(value).unwrap_or_default())
        }
    }
}

/// What no XML document can hold, however it is written (XML 1.0, 2.2).
fn check(text: &str) -> Result<(), Failed> {
    let never = |c: char| {
        (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    match text.find(never) {
        None => Ok(()),
        Some(_) => Err(invalid("a text has control characters")),
    }
}

/// A name, a little stricter than XML 1.0, 2.3.
fn is_name(name: &str) -> bool {
    let begins = |c: char| c.is_alphabetic() || c == '_' || c == ':';
    let goes_on = |c: char| begins(c) || c.is_alphanumeric() || matches!(c, '-' | '.');
    name.starts_with(begins) && name.chars().all(goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MAX: usize = 1_000;

    fn scope() -> Scope {
        let trigger = json!({ "event": {
            "name": "R&D <b>\"x\"</b>", "end": "a]]>b", "document": "<a>1</a>", "zero": "\0",
            "order": { "order": { "@_id": 7, "item": ["a", "b"], "note": { "#text": "x<y" } } },
        } });
        Scope { trigger, ..Scope::default() }
    }

    fn made(template: &Value) -> Result<String, Failed> {
        document(template, &scope(), MAX)
    }

    #[test]
    fn what_variables_bring_in_cannot_become_markup() {
        let text = json!("<a b='{{1.event.name}}'>{{1.event.name}}</a><!-- {{1.event.none}} -->");
        let name = "R&amp;D &lt;b&gt;&quot;x&quot;&lt;/b&gt;";
        assert_eq!(made(&text).unwrap(), format!("<a b='{name}'>{name}</a><!--  -->"));
        let text = json!("<a><![CDATA[{{1.event.end}}]]>{{1.event.end}}<![CDATA[ {{1.event.end}}");
        assert_eq!(
            made(&text).unwrap(),
            "<a><![CDATA[a]]]]><![CDATA[>b]]>a]]&gt;b<![CDATA[ a]]]]><![CDATA[>b"
        );
        assert_eq!(made(&json!("<a>{{1.event.zero}}</a>")).unwrap_err().code(), "BODY_INVALID");
    }

    #[test]
    fn one_variable_is_the_document_itself() {
        assert_eq!(made(&json!("{{1.event.document}}\n")).unwrap(), "<a>1</a>");
        assert_eq!(
            made(&json!("{{1.event.order}}")).unwrap(),
            "<order id=\"7\"><item>a</item><item>b</item><note>x&lt;y</note></order>"
        );
        assert_eq!(made(&json!("{{1.event.none}}")).unwrap(), "");
    }

    #[test]
    fn an_object_becomes_elements() {
        let object = json!({
            "?xml": { "@_version": "1.0", "@_encoding": "UTF-8" },
            "s:Envelope": {
                "@_xmlns:s": "http://www.w3.org/2003/05/soap-envelope",
                "s:Body": { "who": "{{1.event.name}}", "on": true, "n": 1.5, "gone": null },
            },
        });
        assert_eq!(
            made(&object).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>\
             <gone></gone><n>1.5</n><on>true</on><who>R&amp;D &lt;b&gt;&quot;x&quot;&lt;/b&gt;</who>\
             </s:Body></s:Envelope>"
        );
    }

    #[test]
    fn what_no_document_can_be_is_refused() {
        for template in [
            json!({}),
            json!({ "a": 1, "b": 2 }),
            json!({ "a": [1, 2] }),
            json!({ "a b": 1 }),
            json!({ "1a": 1 }),
            json!({ "a": { "@_x y": 1 } }),
            json!({ "a": { "@_x": [1] } }),
            json!({ "a": "\u{1}" }),
            json!([1]),
            json!(7),
        ] {
            assert_eq!(made(&template).unwrap_err().code(), "BODY_INVALID", "{template}");
        }
        let long = json!({ "a": "<".repeat(MAX / 2) });
        assert_eq!(made(&long).unwrap_err().code(), "INPUT_TOO_LARGE");
    }
}
