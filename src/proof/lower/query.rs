//! Sub-selects: what is known of the rows that one returns.
//!
//! Only what *restricts* is looked for. Leaving out a restriction, an outer join's condition say, keeps every
//! conclusion from "there is such a row" right; a query that could return rows of another making (aggregates, set
//! operations) is not understood as a whole.

use std::collections::BTreeSet;

use super::{Lowerer, Range};
use crate::proof::ir::{Expr, Form, Query, Source};
use crate::proof::tree::{Node, Object};
use crate::proof::value::Type;

/// A FROM clause as it is put together.
#[derive(Default)]
struct From {
    /// One for each entry of the range table.
    entries: Vec<Entry>,
    sources: Vec<Source>,
    conditions: Vec<Expr>,
}

/// What joining one range table entry adds.
#[derive(Default, Clone)]
struct Entry {
    sources: Vec<Source>,
    condition: Option<Expr>,
}

impl Lowerer<'_> {
    pub(super) fn sublink(&mut self, node: &Object<'_>) -> Expr {
        let kind = node.int("subLinkType");
        let Some(select) = node.object("subselect") else {
            return self.unknown(node, Type::BOOL);
        };
        let query = match self.query(select) {
            Ok(query) => query,
            Err(reason) => {
                self.effects_of_tree(node);
                let ty = match kind {
                    Some(4 | 6) => self.first_column_type(select),
                    _ => Type::BOOL,
                };
                let array = Self::array_of(ty);
                let ty = if kind == Some(6) { array } else { ty };
                return Self::opaque("(SELECT …)", Form::Text, reason, Vec::new(), false, ty);
            }
        };
        let ty = query.columns.first().map_or(Type::BOOL, Expr::ty);
        match kind {
            Some(0) => Expr::Exists(Box::new(query)),
            // = ANY (sub-select), IN (sub-select). The test compares with the sub-select's columns as parameters.
            Some(2) => {
                let outputs = std::mem::replace(&mut self.outputs, query.columns.clone());
                let test = Box::new(self.expr(node.get("testexpr")));
                self.outputs = outputs;
                Expr::In {
                    query: Box::new(query),
                    test,
                }
            }
            Some(4) if query.is_rowless && query.condition == Expr::TRUE && query.columns.len() == 1 => {
                // (SELECT expression): the expression itself.
                query.columns.into_iter().next().unwrap_or(Expr::TRUE)
            }
            Some(4) if query.columns.len() == 1 => Expr::Scalar {
                query: Box::new(query),
                first: false,
                ty,
            },
            Some(6) if query.columns.len() == 1 => {
                let array = Self::array_of(ty);
                Expr::ArrayOf(Box::new(query), array)
            }
            _ => {
                self.effects_of_tree(node);
                Self::opaque(
                    "(SELECT …)",
                    Form::Text,
                    "this kind of sub-select is not understood",
                    Vec::new(),
                    false,
                    Type::BOOL,
                )
            }
        }
    }

    fn first_column_type(&self, select: &Object<'_>) -> Type {
        let target = select.items("targetList").first().and_then(Node::object);
        let Some(expr) = target.and_then(|target| target.object("expr")) else {
            return Type::BOOL;
        };
        // The field that holds the type is named differently in each node; its name ends in "type" in all of them.
        let id = [
            "vartype",
            "consttype",
            "funcresulttype",
            "opresulttype",
            "resulttype",
            "aggtype",
            "coalescetype",
        ];
        let id = id.iter().find_map(|field| expr.oid(field)).unwrap_or(0);
        super::types::resolve(self.context.symbols, id, -1)
    }

    fn array_of(element: Type) -> Type {
        Type {
            oid: 0,
            typmod: -1,
            sort: crate::proof::value::Sort::Array(element.oid),
        }
    }

    /// Lowers a query's rows.
    pub(super) fn query(&mut self, select: &Object<'_>) -> Result<Query, &'static str> {
        if select.name != "QUERY" || select.int("commandType") != Some(1) {
            return Err("it is no SELECT");
        }
        if !select.get("setOperations").is_null() {
            return Err("UNION, INTERSECT and EXCEPT are not understood");
        }
        for field in [
            "hasAggs",
            "hasWindowFuncs",
            "hasTargetSRFs",
            "hasRecursive",
            "hasModifyingCTE",
        ] {
            if select.flag(field) != Some(false) {
                return Err(
                    "aggregates, window functions, set-returning functions and recursion are not understood",
                );
            }
        }
        for field in ["groupClause", "groupingSets", "havingQual"] {
            if !select.get(field).is_null() {
                return Err("GROUP BY and HAVING are not understood");
            }
        }
        let limited = !select.get("limitCount").is_null() || !select.get("limitOffset").is_null();
        if limited && select.items("rtable").is_empty() {
            return Err("LIMIT without FROM is not understood");
        }
        self.levels.push(Vec::new());
        let result = self.query_at_level(select);
        self.levels.pop();
        result
    }

    fn query_at_level(&mut self, select: &Object<'_>) -> Result<Query, &'static str> {
        let mut from = From::default();
        let Some(tree) = select.object("jointree") else {
            return Err("it has no FROM");
        };
        let mut nullable = BTreeSet::new();
        tree.items("fromlist")
            .iter()
            .for_each(|item| find_nullable(item, false, &mut nullable));
        for (index, entry) in (1..).zip(select.items("rtable")) {
            let (mut range, mut entry) = match entry.object() {
                Some(entry) => self.range(entry, select),
                None => (Range::Unknown(String::new()), Entry::default()),
            };
            // Beyond an outer join the same expressions can be NULL; a table's columns can be so anyhow.
            if nullable.contains(&index) && !matches!(range, Range::Row(_)) {
                (range, entry) = (Range::Unknown("outer join".into()), Entry::default());
            }
            if let Some(level) = self.levels.last_mut() {
                level.push(range);
            }
            from.entries.push(entry);
        }
        for item in tree.items("fromlist") {
            self.join(item, &mut from);
        }
        if !tree.get("quals").is_null() {
            let quals = self.expr(tree.get("quals"));
            from.conditions.push(quals);
        }
        let columns = select
            .items("targetList")
            .iter()
            .filter_map(Node::object)
            .filter(|target| target.flag("resjunk") != Some(true))
            .map(|target| self.expr(target.get("expr")))
            .collect();
        Ok(Query {
            sources: from.sources,
            condition: match from.conditions.len() {
                0 => Expr::TRUE,
                1 => from.conditions.remove(0),
                _ => Expr::And(from.conditions),
            },
            columns,
            is_rowless: select.items("rtable").is_empty(),
        })
    }

    /// One entry of the range table: what its columns stand for, and what joining it adds.
    fn range(&mut self, entry: &Object<'_>, select: &Object<'_>) -> (Range, Entry) {
        let name = entry.object("eref").and_then(|alias| alias.text("aliasname"));
        let name = name.unwrap_or_default().into_owned();
        let unknown = |name: String| (Range::Unknown(name), Entry::default());
        match entry.int("rtekind") {
            Some(0) => {
                let row = self.next_row;
                self.next_row += 1;
                // From PostgreSQL 16 on, whom the table is read as is kept apart.
                let permissions = entry.int("perminfoindex").and_then(|n| {
                    select
                        .items("rteperminfos")
                        .get(usize::try_from(n).ok()?.checked_sub(1)?)?
                        .object()
                });
                let read_as = permissions.unwrap_or(entry).oid("checkAsUser");
                let relation = entry.oid("relid").unwrap_or(0);
                if entry.text("relkind").as_deref() == Some("v") {
                    self.hazard(&name, "it is a view, whose definition is not followed");
                }
                let source = Source {
                    row,
                    relation,
                    as_session: read_as == Some(0) && !self.as_definer,
                };
                let entry = Entry {
                    sources: vec![source],
                    condition: None,
                };
                (Range::Row(row), entry)
            }
            Some(1) => match entry.object("subquery") {
                Some(query) => self.derived(query, &name),
                None => unknown(name),
            },
            Some(2) => {
                let columns = self.exprs(entry.items("joinaliasvars"));
                (Range::Columns(columns), Entry::default())
            }
            // Each reference to a CTE is a row of its own, so its query is lowered again. One of an outer query is not
            // followed.
            Some(6) if entry.int("ctelevelsup") == Some(0) => {
                let wanted = entry.text("ctename");
                let mut ctes = select.items("cteList").iter().filter_map(Node::object);
                let cte = ctes.find(|cte| cte.text("ctename") == wanted);
                match cte.and_then(|cte| cte.object("ctequery")) {
                    Some(query) => self.derived(query, &name),
                    None => unknown(name),
                }
            }
            // A function in FROM, VALUES and the like: its rows can hold anything.
            _ => {
                self.effects_of_tree(entry);
                unknown(name)
            }
        }
    }

    /// A query in FROM or WITH.
    fn derived(&mut self, query: &Object<'_>, name: &str) -> (Range, Entry) {
        if let Ok(query) = self.query(query) {
            let entry = Entry {
                sources: query.sources,
                condition: Some(query.condition),
            };
            (Range::Columns(query.columns), entry)
        } else {
            self.effects_of_tree(query);
            (Range::Unknown(name.to_owned()), Entry::default())
        }
    }

    /// Adds what an item of FROM guarantees for every row.
    fn join(&mut self, item: &Node<'_>, from: &mut From) {
        let Some(item) = item.object() else { return };
        match item.name {
            "RANGETBLREF" => {
                let index = item
                    .int("rtindex")
                    .and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
                let Some(entry) = index.and_then(|index| from.entries.get(index).cloned()) else {
                    return;
                };
                from.sources.extend(entry.sources);
                from.conditions
                    .extend(entry.condition.filter(|condition| *condition != Expr::TRUE));
            }
            "JOINEXPR" => match item.int("jointype") {
                // INNER
                Some(0) => {
                    self.join(item.get("larg"), from);
                    self.join(item.get("rarg"), from);
                    if !item.get("quals").is_null() {
                        let quals = self.expr(item.get("quals"));
                        from.conditions.push(quals);
                    }
                }
                // LEFT and RIGHT: the other side may be all NULL, so nothing is known of it.
                Some(1) => {
                    self.join(item.get("larg"), from);
                    self.effects_of_node(item.get("quals"));
                }
                Some(3) => {
                    self.join(item.get("rarg"), from);
                    self.effects_of_node(item.get("quals"));
                }
                _ => self.effects_of_tree(item),
            },
            _ => {}
        }
    }
}

/// The range table indexes whose columns an outer join can make NULL.
fn find_nullable(item: &Node<'_>, nullable: bool, found: &mut BTreeSet<i64>) {
    let Some(item) = item.object() else { return };
    if let (true, Some(index)) = (nullable, item.int("rtindex")) {
        found.insert(index);
    }
    if item.name == "JOINEXPR" {
        let kind = item.int("jointype");
        find_nullable(item.get("larg"), nullable || !matches!(kind, Some(0 | 1)), found);
        find_nullable(item.get("rarg"), nullable || !matches!(kind, Some(0 | 3)), found);
    }
}
