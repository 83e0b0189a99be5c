//! Which functions leave settings alone.
//!
//! A function that is not understood may still be called next to a comparison that is: `may_read() AND tenant_id =
//! current_setting(…)`. That proves something only if calling the function cannot change the setting. Functions of
//! PostgreSQL's own but `set_config`, and C functions (which only a superuser creates), are trusted not to; the text of
//! others is searched for anything that could, words of names included, so that doubt means "may".

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::Lowerer;
use crate::catalog::Text;
use crate::proof::builtin::{self, Function};
use crate::proof::symbols::{FIRST_NORMAL_OID, Symbols};
use crate::proof::tree::{Node, Object};

/// Words in the text of a function that could change a setting, or call what could.
const SUSPECT: &[&str] = &[
    "set",
    "reset",
    "set_config",
    "execute",
    "call",
    "do",
    "insert",
    "update",
    "delete",
    "merge",
    "copy",
    "truncate",
    "discard",
    "create",
    "alter",
    "drop",
    "load",
    "import",
    "refresh",
    "fetch",
    "dblink",
    "dblink_exec",
    "lo_import",
];

/// PostgreSQL's own functions that run a statement given as text.
const RUNS_SQL: &[&str] = &[
    "query_to_xml",
    "query_to_xmlschema",
    "query_to_xml_and_xmlschema",
    "cursor_to_xml",
    "ts_rewrite",
    "ts_stat",
];

/// Remembers what was found about each function.
#[derive(Debug)]
pub(crate) struct Quiet<'s> {
    symbols: &'s Symbols,
    /// Object ids by name: a text calls functions by name.
    by_name: OnceCell<BTreeMap<String, Vec<u32>>>,
    /// Views by name, likewise.
    views: OnceCell<BTreeMap<String, Vec<u32>>>,
    known: RefCell<BTreeMap<Callee, bool>>,
}

/// What can do something when an expression is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Callee {
    Function(u32),
    View(u32),
}

/// What is being looked at, from the outside in.
type Visiting = BTreeSet<Callee>;

impl<'s> Quiet<'s> {
    pub(crate) fn new(symbols: &'s Symbols) -> Self {
        Self {
            symbols,
            by_name: OnceCell::new(),
            views: OnceCell::new(),
            known: RefCell::default(),
        }
    }

    /// Whether calling this function leaves all settings as they are.
    pub(crate) fn is_quiet(&self, function: u32) -> bool {
        self.visit(Callee::Function(function), &mut Visiting::new())
    }

    fn visit(&self, callee: Callee, visiting: &mut Visiting) -> bool {
        if let Callee::Function(id) = callee
            && id < FIRST_NORMAL_OID
        {
            let name = self.symbols.names.get(&id).map_or("", |name| name.as_ref());
            return builtin::function(id) != Some(Function::SetConfig)
                && !RUNS_SQL.contains(&name)
                && !self.symbols.redefined.contains(&id);
        }
        if let Some(known) = self.known.borrow().get(&callee) {
            return *known;
        }
        // What is being looked at is judged where it began.
        if !visiting.insert(callee) {
            return true;
        }
        let quiet = match callee {
            Callee::Function(id) => self.look_at(id, visiting),
            Callee::View(id) => {
                let view = self
                    .symbols
                    .relations
                    .get(&id)
                    .and_then(|view| view.view.as_ref());
                view.is_some_and(|query| self.text_is_quiet(query, visiting))
            }
        };
        // Within a cycle the answer may rest on one that is still open.
        if !quiet || visiting.len() == 1 {
            self.known.borrow_mut().insert(callee, quiet);
        }
        visiting.remove(&callee);
        quiet
    }

    fn look_at(&self, id: u32, visiting: &mut Visiting) -> bool {
        let Some(function) = self.symbols.functions.get(&id) else {
            return false;
        };
        match &*function.language {
            // The functions that an aggregate is made of are not looked for.
            "internal" => return function.source.as_deref() != Some("aggregate_dummy"),
            "c" => return true,
            "sql" | "plpgsql" => {}
            _ => return false,
        }
        if let Some(body) = &function.body {
            return match Node::parse(body.as_str()) {
                Ok(tree) => self.tree_is_quiet(&tree, visiting),
                Err(_) => false,
            };
        }
        let source = function.source.as_ref();
        source.is_some_and(|source| self.text_is_quiet(source, visiting))
    }

    /// Whether nothing in a text could change a setting, nor any function or view that it may name.
    fn text_is_quiet(&self, source: &str, visiting: &mut Visiting) -> bool {
        let text = source.to_ascii_lowercase();
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        let words: BTreeSet<&str> = words.filter(|word| !word.is_empty()).collect();
        // U&"\0073et_config" names set_config as well.
        let is_suspect = |word: &&str| SUSPECT.contains(word) || RUNS_SQL.contains(word);
        if words.iter().any(is_suspect) || text.contains("u&") {
            return false;
        }
        let symbols = self.symbols;
        let functions = self.by_name.get_or_init(|| {
            by_name(
                symbols
                    .functions
                    .iter()
                    .map(|(id, function)| (*id, &function.name)),
            )
        });
        let views = self.views.get_or_init(|| {
            let views = symbols
                .relations
                .iter()
                .filter(|(_, relation)| relation.view.is_some());
            by_name(views.map(|(id, view)| (*id, &view.name)))
        });
        // Names that are not plain lower-case words are searched for as they are, in the text as it is.
        let is_word = |name: &str| {
            name.chars()
                .all(|c| c.is_lowercase() || c.is_numeric() || c == '_' || c == '$')
        };
        let named = |names: &BTreeMap<String, Vec<u32>>| -> Vec<u32> {
            let odd = names
                .keys()
                .filter(|name| !is_word(name) && source.contains(name.as_str()));
            let plain = words.iter().filter_map(|word| names.get(*word));
            let found = plain.chain(odd.filter_map(|name| names.get(name.as_str())));
            found.flatten().copied().collect()
        };
        // Operators and casts do not name their functions: a noisy one makes every text suspect.
        let operators = symbols.operators.values().map(|operator| operator.function);
        let unnamed = operators.chain(symbols.cast_functions.iter().copied());
        let mut called = named(functions).into_iter().chain(unnamed).map(Callee::Function);
        called.all(|callee| self.visit(callee, visiting))
            && named(views)
                .into_iter()
                .all(|view| self.visit(Callee::View(view), visiting))
    }

    /// Whether everything that a tree calls is quiet, and it changes no rows (triggers can do anything).
    fn tree_is_quiet(&self, node: &Node<'_>, visiting: &mut Visiting) -> bool {
        match node {
            Node::Null | Node::Atom(_) | Node::Datum(_) => true,
            Node::List(items) => items.iter().all(|item| self.tree_is_quiet(item, visiting)),
            Node::Object(object) => {
                let selects = object.name != "QUERY" || object.int("commandType") == Some(1);
                let is_view = object.text("relkind").as_deref() == Some("v");
                let view = is_view.then(|| Callee::View(object.oid("relid").unwrap_or(0)));
                let functions = called(object).filter(|id| *id != 0).map(Callee::Function);
                selects
                    && functions.chain(view).all(|callee| self.visit(callee, visiting))
                    && object
                        .fields
                        .iter()
                        .all(|(_, field)| self.tree_is_quiet(field, visiting))
            }
        }
    }
}

/// Object ids by name.
fn by_name<'n>(named: impl Iterator<Item = (u32, &'n Text)>) -> BTreeMap<String, Vec<u32>> {
    let mut by_name: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (id, name) in named {
        by_name.entry(name.to_string()).or_default().push(id);
    }
    by_name
}

/// The functions that a node itself calls.
fn called(object: &Object<'_>) -> impl Iterator<Item = u32> {
    ["funcid", "opfuncid", "aggfnoid", "winfnoid"]
        .into_iter()
        .filter_map(|field| object.oid(field))
}

impl Lowerer<'_> {
    /// Notes what a function could do that is called without being understood.
    pub(super) fn effects_of(&mut self, function: u32) {
        if !self.context.quiet.is_quiet(function) {
            let symbols = self.context.symbols;
            let name = symbols
                .functions
                .get(&function)
                .map(|f| format!("{}.{}", f.schema, f.name));
            let name = name.or_else(|| symbols.names.get(&function).map(ToString::to_string));
            let name = name.unwrap_or_else(|| format!("function {function}"));
            self.hazard(
                &name,
                "it could change the tenant setting while rows are being judged",
            );
        }
    }

    /// The same for everything within a node.
    pub(super) fn effects_of_tree(&mut self, object: &Object<'_>) {
        let functions: Vec<u32> = called(object).filter(|function| *function != 0).collect();
        for function in functions {
            self.effects_of(function);
        }
        for (_, field) in &object.fields {
            self.effects_of_node(field);
        }
    }

    pub(super) fn effects_of_node(&mut self, node: &Node<'_>) {
        match node {
            Node::Object(object) => self.effects_of_tree(object),
            Node::List(items) => items.iter().for_each(|item| self.effects_of_node(item)),
            Node::Null | Node::Atom(_) | Node::Datum(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Volatility;
    use crate::proof::symbols::Function as Routine;

    fn routine(name: &str, language: &str, source: &str) -> Routine {
        Routine {
            schema: "app".into(),
            name: name.into(),
            owner: 10,
            language: language.into(),
            volatility: Volatility::Stable,
            strict: false,
            security_definer: false,
            returns_set: false,
            return_type: 16,
            argument_types: Vec::new(),
            argument_names: Vec::new(),
            settings: Vec::new(),
            source: Some(source.into()),
            body: None,
        }
    }

    #[test]
    fn what_could_set_a_setting_is_not_quiet() {
        let mut symbols = Symbols::default();
        let mut add = |id, name, language, source| {
            symbols.functions.insert(id, routine(name, language, source));
        };
        add(
            20_000,
            "reads",
            "plpgsql",
            "begin return exists (select 1 from app.members); end",
        );
        add(
            20_001,
            "sets",
            "plpgsql",
            "begin perform Set_Config('a.b', 'c', true); return true; end",
        );
        add(20_002, "calls", "sql", "select app.sets()");
        add(20_003, "around", "sql", "select app.calls() or app.around()");
        add(20_004, "python", "plpython3u", "return True");
        add(20_005, "native", "c", "set");
        add(20_006, "Odd Name", "sql", "reset x");
        add(20_007, "odd", "sql", "select \"Odd Name\"()");
        add(20_008, "itself", "sql", "select app.itself() or app.reads()");
        add(
            20_009,
            "hidden",
            "sql",
            "select u&\"\\0073et_config\"('a.b', '', true)",
        );
        let quiet = Quiet::new(&symbols);
        let expected = [true, false, false, false, false, true, false, false, true, false];
        for (id, expected) in (20_000..).zip(expected) {
            assert_eq!(quiet.is_quiet(id), expected, "{}", symbols.functions[&id].name);
        }
        assert!(quiet.is_quiet(67) && !quiet.is_quiet(2078) && !quiet.is_quiet(99_999));
    }
}
