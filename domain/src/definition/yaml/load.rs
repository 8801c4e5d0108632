//! A YAML text into nodes.

use super::scalar;
use super::{Entry, Node, Place, Tree};
use crate::definition::mistake::{Mistakes, Path, quoted};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How deep values may be nested.
pub(in crate::definition) const DEPTH_MAX: usize = 64;

/// How many values a file has at most.
const NODES_MAX: usize = 400_000;

/// Reads a text. `None`: it cannot be read further than the mistakes tell.
pub(in crate::definition) fn load(text: &str, mistakes: &mut Mistakes) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut loader = Loader { open: Vec::new(), root: None, nodes: 0, documents: 0, mistakes };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => loader.take(event, span)?,
            Err(error) => {
                loader.broken(&error);
                return None;
            }
        }
    }
    let root = loader.root.take();
    if root.is_none() {
        let at = Place { line: 1, column: 1 };
        let mend = "begin with `project:`, its `id` and its `name`";
        mistakes.add(at, &Path::default(), "the file is empty", mend);
    }
    root
}

struct Loader<'a> {
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
    mistakes: &'a mut Mistakes,
}

/// A list or mapping that is not finished.
struct Open {
    at: Place,
    path: Path,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(Place, String)>, lines: BTreeMap<String, u32> },
}

impl Loader<'_> {
    /// Takes the next event; `None` ends the reading.
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let at = place(&span.start);
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.stop(at, "a second document begins", "keep one project per file");
                }
            }
            Event::Alias(_) => {
                let mend = "write the value out where it is used";
                self.mistakes.add(at, &self.path(), "aliases are not taken", mend);
                return self.put(Node { at, tree: Tree::Null });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(at, anchor, tag.as_ref());
                let tree = self.scalar(at, text, style);
                return self.put(Node { at, tree });
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_extras(at, anchor, tag.as_ref());
                return self.begin(at, Content::List(Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_extras(at, anchor, tag.as_ref());
                let (entries, lines) = (Vec::new(), BTreeMap::new());
                return self.begin(at, Content::Map { entries, key: None, lines });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { at, content, .. } = self.open.pop()?;
                let tree = match content {
                    Content::List(items) => Tree::List(items),
                    Content::Map { entries, .. } => Tree::Map(entries),
                };
                return self.put(Node { at, tree });
            }
        }
        Some(())
    }

    fn begin(&mut self, at: Place, content: Content) -> Option<()> {
        if self.open.len() >= DEPTH_MAX {
            let problem = format!("values are nested more than {DEPTH_MAX} levels deep");
            return self.stop(at, &problem, "make it flatter");
        }
        if let Some(Open { content: Content::Map { key: None, .. }, .. }) = self.open.last() {
            return self.stop(at, "a key is no text", "write keys as plain text");
        }
        let path = self.path();
        self.open.push(Open { at, path, content });
        Some(())
    }

    /// A finished node goes where it belongs: as a key, as a value, as an item or as the root.
    fn put(&mut self, node: Node) -> Option<()> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let problem = format!("the file has more than {NODES_MAX} values");
            return self.stop(node.at, &problem, "make it smaller");
        }
        let Some(Open { path, content, .. }) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        match content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key, lines } => match key.take() {
                None => *key = Some((node.at, key_text(node.tree))),
                Some((at, name)) => {
                    if let Some(first) = lines.get(&name) {
                        let problem = format!("{} was said before, on line {first}", quoted(&name));
                        let path = path.key(&name);
                        self.mistakes.add(at, &path, problem, "keep one of the two");
                    } else {
                        lines.insert(name.clone(), at.line);
                        entries.push(Entry { at, key: name, node });
                    }
                }
            },
        }
        Some(())
    }

    fn scalar(&mut self, at: Place, text: Cow<'_, str>, style: ScalarStyle) -> Tree {
        let is_key =
            matches!(self.open.last(), Some(Open { content: Content::Map { key: None, .. }, .. }));
        if style != ScalarStyle::Plain || is_key {
            return Tree::Text(text.into_owned());
        }
        scalar::plain(&text).unwrap_or_else(|(problem, mend)| {
            self.mistakes.add(at, &self.path(), problem, mend);
            Tree::Text(text.into_owned())
        })
    }

    fn refuse_extras(&mut self, at: Place, anchor: usize, tag: Option<&Cow<'_, Tag>>) {
        if anchor != 0 {
            let mend = "leave the `&name` out, and write the value out where it is used";
            self.mistakes.add(at, &self.path(), "anchors are not taken", mend);
        }
        if tag.is_some() {
            let mend = "leave the `!tag` out; text that looks like a number goes in quotes";
            self.mistakes.add(at, &self.path(), "tags are not taken", mend);
        }
    }

    /// Where the next node goes.
    fn path(&self) -> Path {
        let Some(Open { path, content, .. }) = self.open.last() else { return Path::default() };
        match content {
            Content::List(items) => path.index(items.len()),
            Content::Map { key: Some((_, name)), .. } => path.key(name),
            Content::Map { key: None, .. } => path.clone(),
        }
    }

    fn stop(&mut self, at: Place, problem: &str, mend: &str) -> Option<()> {
        self.mistakes.add(at, &self.path(), problem, mend);
        None
    }

    fn broken(&mut self, error: &ScanError) {
        let mend = match error.info() {
            info if info.contains("recursion limit") => "make it flatter",
            info if info.contains("tab") => "indent with blanks",
            info if info.contains("quoted scalar") => "close the quotes",
            info if info.contains("mapping values") || info.contains("':'") => {
                "check the indentation, and put text with a colon in quotes"
            }
            _ => "check indentation, brackets and quotes at this place",
        };
        let problem = format!("this is no YAML: {}", error.info());
        self.mistakes.add(place(error.marker()), &self.path(), problem, mend);
    }
}

fn key_text(tree: Tree) -> String {
    match tree {
        Tree::Text(text) => text,
        // Keys are read as text, and `begin` refuses lists and mappings.
        Tree::Null | Tree::Flag(_) | Tree::Number(_) | Tree::List(_) | Tree::Map(_) => {
            String::new()
        }
    }
}

fn place(marker: &Marker) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: number(marker.line()), column: number(marker.col().saturating_add(1)) }
}
