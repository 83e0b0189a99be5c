//! The grammar.

use super::ast::{Ast, Name, Operator, TypeName};
use super::lexer::{Token, tokens};
use super::words::RESERVED;

/// Nesting beyond this is refused.
const MAX_DEPTH: usize = 60;

type Parse<T> = Result<T, String>;

/// The expression of `SELECT expression`.
pub(crate) fn parse_sql(text: &str) -> Parse<Ast> {
    let mut parser = Parser::new(text)?;
    let ast = parser.select()?;
    parser.accept(";");
    parser.end()?;
    Ok(ast)
}

/// The expression of `BEGIN RETURN expression; END`.
pub(crate) fn parse_plpgsql(text: &str) -> Parse<Ast> {
    let mut parser = Parser::new(text)?;
    parser.expect_word("begin")?;
    parser.expect_word("return")?;
    let ast = parser.expression()?;
    parser.expect(";")?;
    parser.expect_word("end")?;
    parser.accept(";");
    parser.end()?;
    Ok(ast)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn new(text: &str) -> Parse<Self> {
        Ok(Self {
            tokens: tokens(text)?,
            at: 0,
            depth: 0,
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn sign(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at) {
            Some(Token::Sign(sign)) => Some(sign),
            _ => None,
        }
    }

    fn word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.sign(self.at) == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.word() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn unexpected<T>(&self) -> Parse<T> {
        Err(match self.peek() {
            Some(Token::Word(word) | Token::Quoted(word)) => {
                format!("\"{word}\" is not understood in its body")
            }
            Some(Token::Sign(sign)) => format!("\"{sign}\" is not understood in its body"),
            Some(_) => "a literal is not understood in its body".into(),
            None => "its body ends early".into(),
        })
    }

    fn expect(&mut self, sign: &str) -> Parse<()> {
        if self.accept(sign) {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    fn expect_word(&mut self, word: &str) -> Parse<()> {
        if self.accept_word(word) {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    fn end(&self) -> Parse<()> {
        if self.at == self.tokens.len() {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    fn select(&mut self) -> Parse<Ast> {
        self.expect_word("select")?;
        let ast = self.expression()?;
        // An alias says nothing.
        if self.accept_word("as") {
            match self.peek() {
                Some(Token::Word(_) | Token::Quoted(_)) => self.at += 1,
                _ => return self.unexpected(),
            }
        }
        Ok(ast)
    }

    fn expression(&mut self) -> Parse<Ast> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("its body is nested too deeply".into());
        }
        let mut list = vec![self.and()?];
        while self.accept_word("or") {
            list.push(self.and()?);
        }
        self.depth -= 1;
        Ok(one_or(list, Ast::Or))
    }

    fn and(&mut self) -> Parse<Ast> {
        let mut list = vec![self.not()?];
        while self.accept_word("and") {
            list.push(self.not()?);
        }
        Ok(one_or(list, Ast::And))
    }

    fn not(&mut self) -> Parse<Ast> {
        let mut negations = 0;
        while self.accept_word("not") {
            negations += 1;
        }
        let mut ast = self.is()?;
        for _ in 0..negations {
            ast = Ast::Not(Box::new(ast));
        }
        Ok(ast)
    }

    fn is(&mut self) -> Parse<Ast> {
        let mut ast = self.comparison()?;
        while self.accept_word("is") {
            let negated = self.accept_word("not");
            let arg = Box::new(ast);
            ast = match self.word() {
                Some("null") => Ast::IsNull(arg, negated),
                Some("true") => Ast::IsBool(arg, Some(true), negated),
                Some("false") => Ast::IsBool(arg, Some(false), negated),
                Some("unknown") => Ast::IsBool(arg, None, negated),
                Some("distinct") => {
                    self.at += 1;
                    self.expect_word("from")?;
                    let right = self.comparison()?;
                    ast = Ast::Distinct(arg, Box::new(right), negated);
                    continue;
                }
                _ => return self.unexpected(),
            };
            self.at += 1;
        }
        Ok(ast)
    }

    /// Comparisons do not associate: `a = b = c` is no SQL.
    fn comparison(&mut self) -> Parse<Ast> {
        let left = self.operators()?;
        let operator = match self.sign(self.at) {
            Some("=") => Operator::Equal,
            Some("<>" | "!=") => Operator::NotEqual,
            Some("<") => Operator::Less,
            Some("<=") => Operator::LessEqual,
            Some(">") => Operator::Greater,
            Some(">=") => Operator::GreaterEqual,
            _ => return Ok(left),
        };
        self.at += 1;
        let right = self.operators()?;
        Ok(Ast::Binary(operator, Box::new(left), Box::new(right)))
    }

    /// All other operators, which bind alike and to the left.
    fn operators(&mut self) -> Parse<Ast> {
        let mut left = self.cast()?;
        loop {
            let operator = match self.sign(self.at) {
                Some("||") => Operator::Concat,
                Some("->") => Operator::JsonField,
                Some("->>") => Operator::JsonFieldText,
                Some("#>") => Operator::JsonPath,
                Some("#>>") => Operator::JsonPathText,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.cast()?;
            left = Ast::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn cast(&mut self) -> Parse<Ast> {
        let mut ast = self.atom()?;
        while self.accept("::") {
            ast = Ast::Cast(Box::new(ast), self.type_name()?);
        }
        Ok(ast)
    }

    fn type_name(&mut self) -> Parse<TypeName> {
        // In quotes a word of the grammar is a name like any other.
        if let Some(Token::Quoted(_)) = self.peek() {
            return self.unexpected();
        }
        let mut name = self.name()?;
        // Types of two words.
        if name.len() == 1 && (name[0] == "character" || name[0] == "double") {
            if self.accept_word("varying") {
                name = vec!["varchar".into()];
            } else {
                return Err(format!("the type {} is not understood in its body", name[0]));
            }
        }
        let mut limit = None;
        if self.accept("(") {
            let Some(Token::Number(number)) = self.peek() else {
                return self.unexpected();
            };
            limit = Some(number.parse().map_err(|_| "a type's limit is not understood")?);
            self.at += 1;
            self.expect(")")?;
        }
        let array = self.accept("[");
        if array {
            self.expect("]")?;
        }
        Ok(TypeName { name, limit, array })
    }

    fn name(&mut self) -> Parse<Name> {
        let mut name = Vec::new();
        loop {
            match self.peek() {
                Some(Token::Word(word) | Token::Quoted(word)) => name.push(word.clone()),
                _ => return self.unexpected(),
            }
            self.at += 1;
            if !self.accept(".") {
                return Ok(name);
            }
        }
    }

    fn arguments(&mut self) -> Parse<Vec<Ast>> {
        self.expect("(")?;
        let mut list = Vec::new();
        if self.accept(")") {
            return Ok(list);
        }
        loop {
            list.push(self.expression()?);
            if !self.accept(",") {
                self.expect(")")?;
                return Ok(list);
            }
        }
    }

    fn atom(&mut self) -> Parse<Ast> {
        let Some(token) = self.peek().cloned() else {
            return self.unexpected();
        };
        match token {
            Token::String(text) => {
                self.at += 1;
                // A second literal would continue the first, if there is a line break between them.
                match self.peek() {
                    Some(Token::String(_)) => self.unexpected(),
                    _ => Ok(Ast::String(text)),
                }
            }
            Token::Number(number) => {
                self.at += 1;
                Ok(Ast::Number(number))
            }
            Token::Parameter(number) => {
                self.at += 1;
                Ok(Ast::Parameter(number))
            }
            Token::Sign(sign) if sign == "(" => {
                self.at += 1;
                let ast = if self.word() == Some("select") {
                    self.select()?
                } else {
                    self.expression()?
                };
                self.expect(")")?;
                Ok(ast)
            }
            Token::Word(word) => self.word_atom(&word),
            Token::Quoted(_) => self.name_or_call(),
            Token::Sign(_) => self.unexpected(),
        }
    }

    fn word_atom(&mut self, word: &str) -> Parse<Ast> {
        let constant = match word {
            "null" => Ast::Null,
            "true" => Ast::Bool(true),
            "false" => Ast::Bool(false),
            "current_user" | "current_role" | "user" => Ast::CurrentUser,
            "session_user" => Ast::SessionUser,
            "cast" => {
                self.at += 1;
                self.expect("(")?;
                let ast = self.expression()?;
                self.expect_word("as")?;
                let ty = self.type_name()?;
                self.expect(")")?;
                return Ok(Ast::Cast(Box::new(ast), ty));
            }
            "case" => return self.case(),
            "nullif" | "coalesce" if self.sign(self.at + 1) == Some("(") => {
                self.at += 1;
                let mut args = self.arguments()?;
                return match (word, args.len()) {
                    ("coalesce", 1..) => Ok(Ast::Coalesce(args)),
                    ("nullif", 2) => {
                        let right = Box::new(args.remove(1));
                        Ok(Ast::NullIf(Box::new(args.remove(0)), right))
                    }
                    _ => self.unexpected(),
                };
            }
            word if RESERVED.contains(&word) => return self.unexpected(),
            _ => return self.name_or_call(),
        };
        self.at += 1;
        Ok(constant)
    }

    fn name_or_call(&mut self) -> Parse<Ast> {
        let name = self.name()?;
        if self.sign(self.at) == Some("(") {
            return Ok(Ast::Call(name, self.arguments()?));
        }
        // `text 'literal'` and the like are casts.
        match self.peek() {
            Some(Token::String(_)) => self.unexpected(),
            _ => Ok(Ast::Name(name)),
        }
    }

    fn case(&mut self) -> Parse<Ast> {
        self.at += 1;
        let mut arms = Vec::new();
        while self.accept_word("when") {
            let when = self.expression()?;
            self.expect_word("then")?;
            arms.push((when, self.expression()?));
        }
        if arms.is_empty() {
            return self.unexpected();
        }
        let has_else = self.accept_word("else");
        let otherwise = has_else.then(|| self.expression()).transpose()?.map(Box::new);
        self.expect_word("end")?;
        Ok(Ast::Case(arms, otherwise))
    }
}

fn one_or(mut list: Vec<Ast>, many: fn(Vec<Ast>) -> Ast) -> Ast {
    if list.len() == 1 {
        list.remove(0)
    } else {
        many(list)
    }
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
