//! What the host is given.

use base64::Engine;
use rquickjs::function::This;
use rquickjs::{Coerced, Ctx, Exception, FromJs, Function, TypedArray, Value};

/// The arguments of one question.
pub(in super::super) struct Arguments<'a, 'js> {
    ctx: &'a Ctx<'js>,
    values: Vec<Value<'js>>,
}

impl<'a, 'js> Arguments<'a, 'js> {
    pub(super) fn new(ctx: &'a Ctx<'js>, values: Vec<Value<'js>>) -> Self {
        Self { ctx, values }
    }

    fn at(&self, index: usize) -> Value<'js> {
        let undefined = || Value::new_undefined(self.ctx.clone());
        self.values.get(index).cloned().unwrap_or_else(undefined)
    }

    /// A text.
    pub(in super::super) fn text(&self, index: usize) -> rquickjs::Result<String> {
        String::from_js(self.ctx, self.at(index))
    }

    /// A text that may be missing.
    pub(super) fn text_if_there(&self, index: usize) -> rquickjs::Result<Option<String>> {
        Option::from_js(self.ctx, self.at(index))
    }

    /// A list of texts.
    pub(in super::super) fn texts(&self, index: usize) -> rquickjs::Result<Vec<String>> {
        Vec::from_js(self.ctx, self.at(index))
    }

    /// Whether a value counts as true.
    pub(super) fn flag(&self, index: usize) -> rquickjs::Result<bool> {
        Coerced::<bool>::from_js(self.ctx, self.at(index)).map(|flag| flag.0)
    }

    /// A number that is not negative.
    pub(in super::super) fn number<N: TryFrom<u64>>(&self, index: usize) -> rquickjs::Result<N> {
        let number = f64::from_js(self.ctx, self.at(index))?;
        let is_whole = (0.0..=9_007_199_254_740_991.0).contains(&number);
        // Whole and in range, so nothing is lost.
        let whole = is_whole.then_some(number as u64).and_then(|whole| N::try_from(whole).ok());
        whole.ok_or_else(|| Exception::throw_range(self.ctx, "the number is out of range"))
    }

    /// A copy of bytes. The engine hands them out as text only, unless one trusts a pointer of it.
    pub(in super::super) fn bytes(&self, index: usize) -> rquickjs::Result<Vec<u8>> {
        let array = TypedArray::<u8>::from_value(self.at(index))?.into_object();
        let in_text: Function<'js> = array.get("toBase64")?;
        let text: String = in_text.call((This(array),))?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text);
        bytes.map_err(|_| Exception::throw_type(self.ctx, "the bytes cannot be read"))
    }
}
