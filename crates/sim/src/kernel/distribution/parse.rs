//! Distributions from text, as planners write them.

use super::Distribution;
use super::construct::{build, checked, no_unit};
use std::str::FromStr;
use werkbuch_model::nearest::did_you_mean;

/// Why a text is no distribution, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{wrong} (at character {at})")]
pub struct ParseDistributionError {
    /// What is wrong, as a sentence.
    pub wrong: String,
    /// The character at which it is wrong, counted from 1.
    pub at: usize,
}

/// The units of time and how many seconds they have; below a second how many of them a second has.
const UNITS: &[(&str, f64, f64)] = &[
    ("ns", 1.0, 1e9),
    ("us", 1.0, 1e6),
    ("µs", 1.0, 1e6),
    ("ms", 1.0, 1e3),
    ("s", 1.0, 1.0),
    ("m", 60.0, 1.0),
    ("min", 60.0, 1.0),
    ("h", 3_600.0, 1.0),
    ("d", 86_400.0, 1.0),
];

/// Distributions within distributions go no deeper.
const DEPTH_MAX: usize = 8;

/// A parameter: its name, and whether it is a time.
pub(super) type Parameter = (&'static str, bool);

/// The families, the parameters of those that have any, and how many of these must be given. Of the others
/// the arguments are a list, or end with a distribution.
const FAMILIES: &[(&str, &[Parameter], usize)] = &[
    ("constant", &[("value", true)], 1),
    ("uniform", &[("least", true), ("most", true)], 2),
    (
        "triangular",
        &[("least", true), ("mode", true), ("most", true)],
        3,
    ),
    (
        "pert",
        &[("least", true), ("mode", true), ("most", true)],
        3,
    ),
    (
        "beta",
        &[
            ("alpha", false),
            ("beta", false),
            ("least", true),
            ("most", true),
        ],
        4,
    ),
    ("normal", &[("mean", true), ("sd", true)], 2),
    ("lognormal", &[("mean", true), ("cv", false)], 2),
    ("exponential", &[("mean", true)], 1),
    ("erlang", &[("stages", false), ("mean", true)], 2),
    ("gamma", &[("shape", false), ("scale", true)], 2),
    (
        "weibull",
        &[("shape", false), ("scale", true), ("location", true)],
        2,
    ),
    ("log-logistic", &[("shape", false), ("scale", true)], 2),
    ("geometric", &[("p", false)], 1),
    ("bernoulli", &[("p", false)], 1),
    ("poisson", &[("mean", false)], 1),
    ("binomial", &[("n", false), ("p", false)], 2),
    ("negative-binomial", &[("r", false), ("p", false)], 2),
    ("scaled", &[("factor", false)], 1),
    ("shifted", &[("by", true)], 1),
    ("hyper-exponential", &[], 0),
    ("discrete", &[], 0),
    ("empirical", &[], 0),
    ("continuous-empirical", &[], 0),
    ("mixture", &[], 0),
    ("trace", &[], 0),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Number(f64),
    Word(&'a str),
    Sign(char),
    End,
}

/// What stands between two commas.
pub(super) struct Argument<'a> {
    pub(super) at: usize,
    pub(super) name: Option<&'a str>,
    pub(super) weight: Option<f64>,
    pub(super) value: Value,
}

pub(super) enum Value {
    Number(f64),
    /// In seconds.
    Time(f64),
    Of(Distribution),
}

pub(super) type Parsed<T> = Result<T, ParseDistributionError>;

pub(super) fn fail<T>(at: usize, wrong: impl Into<String>) -> Parsed<T> {
    let wrong = wrong.into();
    Err(ParseDistributionError { wrong, at })
}

impl FromStr for Distribution {
    type Err = ParseDistributionError;

    fn from_str(text: &str) -> Parsed<Self> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            next: 0,
        };
        let argument = parser.argument(0)?;
        let end = parser.at();
        if parser.take() != Token::End {
            return fail(end, "here the distribution should end");
        }
        match (argument.value, argument.name, argument.weight) {
            (_, Some(name), _) => fail(argument.at, format!("after \"{name}\" a \"(\" is missing")),
            (_, _, Some(_)) => fail(argument.at, "a weight is for a part of a mixture"),
            (Value::Of(of), ..) => Ok(of),
            (Value::Time(seconds), ..) => checked(argument.at, Ok(Self::Constant(seconds))),
            (Value::Number(number), ..) => no_unit(argument.at, "a time", number),
        }
    }
}

fn tokens(text: &str) -> Parsed<Vec<(usize, Token<'_>)>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut at = 1;
    while let Some(first) = rest.chars().next() {
        let (length, token) = match first {
            _ if first.is_whitespace() => (first.len_utf8(), None),
            '(' | ')' | ',' | '=' => (1, Some(Token::Sign(first))),
            '0'..='9' | '.' | '+' | '-' => number(rest, at)?,
            _ if first.is_alphabetic() => {
                let ends = |c: char| !(c.is_alphanumeric() || c == '-' || c == '_');
                let length = rest.find(ends).unwrap_or(rest.len());
                (length, rest.get(..length).map(Token::Word))
            }
            _ => return fail(at, format!("\"{first}\" means nothing here")),
        };
        let (taken, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.extend(token.map(|token| (at, token)));
        at += taken.chars().count();
        rest = left;
    }
    tokens.push((at, Token::End));
    Ok(tokens)
}

/// A number at the beginning of a text, and how long it is.
fn number(text: &str, at: usize) -> Parsed<(usize, Option<Token<'_>>)> {
    let bytes = text.as_bytes();
    let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    let sign = |index: usize| matches!(bytes.get(index), Some(b'+' | b'-'));
    let mut length = usize::from(sign(0));
    while digit(length) || bytes.get(length) == Some(&b'.') {
        length += 1;
    }
    // An e begins an exponent only before digits: "5 e" is a slip, and no number.
    let signed = length + 1 + usize::from(sign(length + 1));
    if matches!(bytes.get(length), Some(b'e' | b'E')) && digit(signed) {
        length = signed;
        while digit(length) {
            length += 1;
        }
    }
    let digits = text.get(..length).unwrap_or("");
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((length, Some(Token::Number(number)))),
        Ok(_) => fail(at, format!("{digits} is too large")),
        Err(_) => fail(at, format!("\"{digits}\" is no number")),
    }
}

struct Parser<'a> {
    tokens: Vec<(usize, Token<'a>)>,
    next: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self, ahead: usize) -> Token<'a> {
        let token = self.tokens.get(self.next + ahead);
        token.map_or(Token::End, |(_, token)| *token)
    }

    fn at(&self) -> usize {
        let token = self.tokens.get(self.next).or(self.tokens.last());
        token.map_or(1, |(at, _)| *at)
    }

    fn take(&mut self) -> Token<'a> {
        let token = self.peek(0);
        self.next += 1;
        token
    }

    /// `[name [=]] [weight] value`, where a value is a number, a time or a distribution.
    fn argument(&mut self, depth: usize) -> Parsed<Argument<'a>> {
        let at = self.at();
        let mut name = None;
        if let (Token::Word(word), next) = (self.peek(0), self.peek(1))
            && matches!(next, Token::Number(_) | Token::Sign('='))
        {
            name = Some(word);
            self.next += if next == Token::Sign('=') { 2 } else { 1 };
        }
        let mut weight = None;
        let (first, second, third) = (self.peek(0), self.peek(1), self.peek(2));
        if let Token::Number(number) = first {
            let call = matches!(second, Token::Word(_)) && third == Token::Sign('(');
            if call || matches!(second, Token::Number(_)) {
                weight = Some(number);
                self.next += 1;
            }
        }
        let value = self.value(depth)?;
        Ok(Argument {
            at,
            name,
            weight,
            value,
        })
    }

    fn value(&mut self, depth: usize) -> Parsed<Value> {
        let at = self.at();
        match self.take() {
            Token::Number(number) => {
                let Token::Word(unit) = self.peek(0) else {
                    return Ok(Value::Number(number));
                };
                let at = self.at();
                self.next += 1;
                let known = UNITS.iter().find(|(name, ..)| *name == unit);
                match known {
                    Some((_, seconds, parts)) => Ok(Value::Time(number * seconds / parts)),
                    None => fail(
                        at,
                        format!("there is no unit \"{unit}\": give ns, us, ms, s, min, h or d"),
                    ),
                }
            }
            Token::Word(family) => self.call(at, family, depth).map(Value::Of),
            Token::Sign(sign) => fail(at, format!("\"{sign}\" stands where a value should")),
            Token::End => fail(at, "here a time or a distribution is missing"),
        }
    }

    /// What follows the name of a family.
    fn call(&mut self, at: usize, family: &str, depth: usize) -> Parsed<Distribution> {
        if depth >= DEPTH_MAX {
            return fail(at, "distributions lie too deep within each other");
        }
        let name = family.to_ascii_lowercase().replace('_', "-");
        if ["inf", "infh", "infinity", "infinite", "nan"].contains(&name.as_str()) {
            return fail(at, format!("{family} is no time: times are finite"));
        }
        let Some(known) = FAMILIES.iter().find(|(known, ..)| *known == name) else {
            let hint = did_you_mean(&name, FAMILIES.iter().map(|(known, ..)| *known));
            let hint = hint.unwrap_or_else(|| {
                let names: Vec<&str> = FAMILIES.iter().map(|(known, ..)| *known).collect();
                format!("there are {}", names.join(", "))
            });
            return fail(at, format!("there is no distribution \"{family}\": {hint}"));
        };
        let open = self.at();
        if self.take() != Token::Sign('(') {
            return fail(open, format!("after \"{family}\" a \"(\" is missing"));
        }
        let mut arguments = Vec::new();
        while self.peek(0) != Token::Sign(')') {
            arguments.push(self.argument(depth + 1)?);
            let at = self.at();
            match self.peek(0) {
                Token::Sign(')') => {}
                Token::Sign(',') => self.next += 1,
                _ => return fail(at, "here a \",\" or a \")\" is missing"),
            }
        }
        let end = self.at();
        self.next += 1;
        build(known, arguments, at, end)
    }
}
