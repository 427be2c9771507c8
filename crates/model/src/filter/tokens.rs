//! Reads a filter's text into tokens, and refuses what filters do not have, with its place.

use super::FILTER_DEPTH_MAX;
use super::error::{FilterError, Spot};
use super::field::FieldList;
use crate::nearest::did_you_mean;
use sqlparser::dialect::AnsiDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

/// The words of SQL that filters know; every other word must be a field.
const KEYWORDS: [Keyword; 12] = [
    Keyword::AND,
    Keyword::OR,
    Keyword::NOT,
    Keyword::IN,
    Keyword::LIKE,
    Keyword::ILIKE,
    Keyword::ESCAPE,
    Keyword::BETWEEN,
    Keyword::IS,
    Keyword::NULL,
    Keyword::TRUE,
    Keyword::FALSE,
];

/// Words that begin a part of SQL which filters do not have, unless a field is called so.
const REFUSED: [Keyword; 16] = [
    Keyword::SELECT,
    Keyword::FROM,
    Keyword::WHERE,
    Keyword::ORDER,
    Keyword::GROUP,
    Keyword::LIMIT,
    Keyword::CASE,
    Keyword::EXISTS,
    Keyword::CAST,
    Keyword::INTERVAL,
    Keyword::ANY,
    Keyword::ALL,
    Keyword::SIMILAR,
    Keyword::RLIKE,
    Keyword::XOR,
    Keyword::COLLATE,
];

/// The tokens of the text without white space. Names of fields are marked as names, so that one
/// that happens to be a word of SQL, such as `position`, is not read as such; signs are joined
/// with their number.
pub(super) fn scan(text: &str, fields: &FieldList) -> Result<Vec<TokenWithSpan>, FilterError> {
    let dialect = AnsiDialect {};
    let mut all = Tokenizer::new(&dialect, text)
        .tokenize_with_location()
        .map_err(|error| FilterError::Syntax {
            message: format!("{} at {}", error.message, Spot::from(error.location)),
        })?;
    all.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    let mut tokens: Vec<TokenWithSpan> = Vec::with_capacity(all.len());
    let mut rest = all.into_iter().peekable();
    let mut depth = Depth::default();
    while let Some(mut token) = rest.next() {
        let spot = Spot::from(token.span.start);
        let next = rest.peek().map(|next| &next.token);
        let before = tokens.last().map(|last| &last.token);
        match &token.token {
            Token::Word(word) => token.token = take_word(word, before, next, spot, fields)?,
            Token::Minus | Token::Plus => {
                let negative = token.token == Token::Minus;
                let Some(Token::Number(number, _)) = next.filter(|_| !ends_operand(before)) else {
                    return Err(refused("arithmetic".into(), spot));
                };
                let sign = if negative { "-" } else { "" };
                token.token = Token::Number(format!("{sign}{number}"), false);
                rest.next();
            }
            other => check_sign(other, spot)?,
        }
        depth.take(&token.token)?;
        tokens.push(token);
    }
    Ok(tokens)
}

/// Counts how deeply the text nests, because the parser, at its own limit, gives up with a message
/// about something else.
#[derive(Default)]
struct Depth {
    /// For each open parenthesis: itself and the NOTs since it that may still be open.
    open: Vec<usize>,
    /// The NOTs outside all parentheses.
    outside: usize,
}

impl Depth {
    fn take(&mut self, token: &Token) -> Result<(), FilterError> {
        match token {
            Token::LParen => self.open.push(1),
            Token::RParen => drop(self.open.pop()),
            Token::Word(word) => {
                let parenthesis = usize::from(!self.open.is_empty());
                let here = self.open.last_mut().unwrap_or(&mut self.outside);
                match word.keyword {
                    Keyword::NOT => *here = here.saturating_add(1),
                    Keyword::AND | Keyword::OR => *here = parenthesis,
                    _ => {}
                }
            }
            _ => {}
        }
        // A sum over at most the limit's number of levels: an error ends the count.
        let depth = self.open.iter().sum::<usize>().saturating_add(self.outside);
        if depth > FILTER_DEPTH_MAX {
            return Err(FilterError::TooDeep {
                limit: FILTER_DEPTH_MAX,
            });
        }
        Ok(())
    }
}

/// Whether a sign after this token would be arithmetic.
fn ends_operand(token: Option<&Token>) -> bool {
    match token {
        Some(Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen) => true,
        Some(Token::Word(word)) => word.keyword == Keyword::NoKeyword,
        _ => false,
    }
}

fn take_word(
    word: &Word,
    before: Option<&Token>,
    next: Option<&Token>,
    spot: Spot,
    fields: &FieldList,
) -> Result<Token, FilterError> {
    let quoted = word.quote_style.is_some();
    if !quoted && KEYWORDS.contains(&word.keyword) {
        return Ok(Token::Word(word.clone()));
    }
    if !quoted && next == Some(&Token::LParen) {
        return Err(refused(format!("function \"{}\"", word.value), spot));
    }
    if let Some((_, field)) = fields.find(&word.value) {
        return Ok(Token::Word(Word {
            value: field.name.to_owned(),
            quote_style: Some('"'),
            keyword: Keyword::NoKeyword,
        }));
    }
    if !quoted && REFUSED.contains(&word.keyword) {
        return Err(refused(word.value.to_ascii_uppercase(), spot));
    }
    let compared = matches!(
        before,
        Some(
            Token::Eq
                | Token::Neq
                | Token::Lt
                | Token::Gt
                | Token::LtEq
                | Token::GtEq
                | Token::Comma
        )
    );
    let hint = match did_you_mean(&word.value, fields.names()) {
        Some(hint) => format!(", {hint}"),
        None if quoted || compared => {
            format!(", write text in single quotes: '{}'", word.value)
        }
        None => String::new(),
    };
    Err(FilterError::UnknownField {
        name: word.value.clone(),
        spot,
        hint,
        known: fields.to_string(),
    })
}

fn check_sign(token: &Token, spot: Spot) -> Result<(), FilterError> {
    let what = match token {
        Token::SingleQuotedString(_)
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::Gt
        | Token::LtEq
        | Token::GtEq
        | Token::Comma
        | Token::LParen
        | Token::RParen
        | Token::Number(_, false) => return Ok(()),
        Token::DoubleEq => "\"==\", write \"=\"".to_owned(),
        Token::Mul | Token::Div | Token::Mod | Token::StringConcat => "arithmetic".to_owned(),
        Token::Period => "names with a dot".to_owned(),
        Token::SemiColon => "second statement".to_owned(),
        other => format!(
            "\"{}\"",
            other.to_string().chars().take(40).collect::<String>()
        ),
    };
    Err(refused(what, spot))
}

fn refused(what: String, spot: Spot) -> FilterError {
    FilterError::Unsupported { what, spot }
}
