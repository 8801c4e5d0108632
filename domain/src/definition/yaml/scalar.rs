//! What a plain scalar means: the core schema of YAML 1.2, as far as JSON can say it.

use super::Tree;
use serde_json::Number;

/// A scalar that is refused: what is wrong with it, and the mend.
pub(super) type Refused = (&'static str, &'static str);

const EXACT: Refused =
    ("the number is too large to be kept exactly", "put it in quotes to keep it as text");

/// What a scalar without quotes means.
pub(super) fn plain(text: &str) -> Result<Tree, Refused> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Tree::Null),
        "true" | "True" | "TRUE" => return Ok(Tree::Flag(true)),
        "false" | "False" | "FALSE" => return Ok(Tree::Flag(false)),
        ".nan" | ".NaN" | ".NAN" => {
            return Err(("JSON has no such number", "put it in quotes to keep it as text"));
        }
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(("JSON has no such number", "put it in quotes to keep it as text"));
    }
    if let Some(number) = radix(text)? {
        return Ok(Tree::Number(number));
    }
    if !is_decimal(unsigned) {
        return Ok(Tree::Text(text.to_owned()));
    }
    let whole = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if whole > 1 && unsigned.starts_with('0') {
        let mend = "put it in quotes to keep it as text, or leave the zeros out";
        return Err(("it is unclear whether this is a number or text", mend));
    }
    decimal(text, whole == unsigned.len()).map(Tree::Number)
}

fn decimal(text: &str, is_whole: bool) -> Result<Number, Refused> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if is_whole {
        let signed = text.parse::<i64>().map(Number::from);
        return signed.or_else(|_| text.parse::<u64>().map(Number::from)).map_err(|_| EXACT);
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).ok_or(EXACT)
}

fn radix(text: &str) -> Result<Option<Number>, Refused> {
    let (digits, radix) = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) => (digits, 8),
        (None, None) => return Ok(None),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Ok(None);
    }
    u64::from_str_radix(digits, radix).map(|number| Some(number.into())).map_err(|_| EXACT)
}

/// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, with an exponent or without.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|text| text.strip_prefix(['-', '+']).unwrap_or(text));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|text| !text.is_empty() && digits(text))
}
