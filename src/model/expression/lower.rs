//! From the stored tree to [`Expr`].

use super::body;
use super::expr::Expr;
use super::query::{only_query, plain_select};
use crate::catalog::{Catalog, Function, Oid, Text};
use crate::proof::builtin::{Function as Builtin, Group, Order, function as builtin};
use crate::proof::tree::{Node, Object};
use crate::proof::{Value, literal, print};

/// How deep functions' bodies are followed.
const MAX_BODIES: usize = 4;

/// What the expression says; everything unknown where the text is no tree.
pub(crate) fn lower(catalog: &Catalog, tree: &Text) -> Expr {
    Lowering::new(catalog, 0, &[]).text(tree)
}

/// What a function's stored body looks at; its arguments are unknown.
pub(crate) fn lower_body(catalog: &Catalog, tree: &Text) -> Expr {
    Lowering::new(catalog, 1, &[]).text(tree)
}

/// What a function without arguments computes, where that is understood.
pub(crate) fn computed(catalog: &Catalog, function: &Function) -> Option<Expr> {
    Lowering::new(catalog, 0, &[]).body(function, &[])
}

struct Lowering<'a> {
    catalog: &'a Catalog,
    /// How many sub-selects we are in.
    depth: i64,
    /// The relations that each of them reads, by place; 0 where it is none.
    tables: Vec<Vec<Oid>>,
    /// How many functions' bodies we are in.
    bodies: usize,
    /// What the function was called with, whose body this is.
    arguments: Vec<Expr>,
    /// The value that a CASE compares.
    case: Option<Expr>,
}

impl<'a> Lowering<'a> {
    fn new(catalog: &'a Catalog, bodies: usize, arguments: &[Expr]) -> Self {
        Self {
            catalog,
            depth: 0,
            tables: Vec::new(),
            bodies,
            arguments: arguments.to_vec(),
            case: None,
        }
    }

    fn text(&mut self, tree: &Text) -> Expr {
        match Node::parse(tree) {
            Ok(node) => self.node(&node),
            Err(_) => Expr::Other(Vec::new()),
        }
    }

    fn node(&mut self, node: &Node<'_>) -> Expr {
        match node {
            Node::Object(object) => self.object(object),
            Node::List(items) => match items.as_slice() {
                [one] => self.node(one),
                items => Expr::Other(self.list(items)),
            },
            _ => Expr::Other(Vec::new()),
        }
    }

    fn list(&mut self, items: &[Node<'_>]) -> Vec<Expr> {
        items.iter().map(|item| self.node(item)).collect()
    }

    fn boxed(&mut self, object: &Object<'_>, field: &str) -> Box<Expr> {
        Box::new(self.node(object.get(field)))
    }

    fn object(&mut self, object: &Object<'_>) -> Expr {
        match object.name {
            "CONST" => constant(object),
            "VAR" => self.column(object),
            "PARAM" => {
                let place = object.int("paramid").and_then(|id| usize::try_from(id - 1).ok());
                // Of another kind it stands for what a sub-select gives.
                let argument = place
                    .filter(|_| object.int("paramkind") == Some(0))
                    .and_then(|place| self.arguments.get(place));
                argument.cloned().unwrap_or(Expr::Other(Vec::new()))
            }
            "BOOLEXPR" => {
                let mut args = self.list(object.items("args"));
                match object.text("boolop").as_deref() {
                    Some("and") => Expr::And(args),
                    Some("or") => Expr::Or(args),
                    _ => Expr::Not(Box::new(args.pop().unwrap_or(Expr::Null))),
                }
            }
            "NULLTEST" => Expr::IsNull {
                arg: self.boxed(object, "arg"),
                negated: object.int("nulltesttype") == Some(1),
            },
            "BOOLEANTEST" => {
                let arg = self.boxed(object, "arg");
                match object.int("booltesttype") {
                    Some(test @ 0..=3) => Expr::IsBool {
                        arg,
                        want: test < 2,
                        negated: test % 2 == 1,
                    },
                    _ => Expr::Other(vec![*arg]),
                }
            }
            "OPEXPR" | "FUNCEXPR" => self.call(object),
            "NULLIFEXPR" => {
                let mut args = self.list(object.items("args"));
                match (args.pop(), args.pop()) {
                    (Some(right), Some(left)) => Expr::NullIf(Box::new(left), Box::new(right)),
                    _ => Expr::Other(args),
                }
            }
            "COALESCEEXPR" | "COALESCE" => Expr::Coalesce(self.list(object.items("args"))),
            "SCALARARRAYOPEXPR" => self.any_of(object),
            "CASEEXPR" | "CASE" => self.case(object),
            "CASETESTEXPR" => self.case.clone().unwrap_or(Expr::Other(Vec::new())),
            "RELABELTYPE" => {
                let arg = self.node(object.get("arg"));
                match object.oid("resulttype") {
                    // Text-like types over each other change nothing.
                    Some(25 | 1043) => arg,
                    target => Expr::Cast {
                        arg: Box::new(arg),
                        target: target.unwrap_or(0),
                    },
                }
            }
            "COERCEVIAIO" | "COERCETODOMAIN" | "ARRAYCOERCEEXPR" => Expr::Cast {
                arg: self.boxed(object, "arg"),
                target: object.oid("resulttype").unwrap_or(0),
            },
            // CURRENT_ROLE, CURRENT_USER, USER and SESSION_USER.
            "SQLVALUEFUNCTION" if matches!(object.int("op"), Some(9..=12)) => Expr::User,
            "SUBLINK" => self.sublink(object),
            "QUERY" => {
                self.enter(object);
                let parts = self.fields(object);
                self.leave();
                Expr::Other(parts)
            }
            "RANGETBLENTRY" => {
                let mut parts = self.fields(object);
                if object.int("rtekind") == Some(0) {
                    parts.extend(object.oid("relid").map(Expr::Reads));
                }
                Expr::Other(parts)
            }
            _ => Expr::Other(self.fields(object)),
        }
    }

    /// Every node that a field of `object` holds.
    fn fields(&mut self, object: &Object<'_>) -> Vec<Expr> {
        self.fields_but(object, "")
    }

    /// The same without one of them.
    fn fields_but(&mut self, object: &Object<'_>, without: &str) -> Vec<Expr> {
        let fields = object.fields.iter().filter(|(name, _)| *name != without);
        let nodes = fields.map(|(_, value)| value);
        nodes
            .filter(|value| {
                matches!(value, Node::Object(_))
                    || value.items().iter().any(|item| !matches!(item, Node::Atom(_)))
            })
            .map(|value| match value {
                Node::List(items) => Expr::Other(self.list(items)),
                other => self.node(other),
            })
            .collect()
    }

    fn column(&self, object: &Object<'_>) -> Expr {
        let ours = self.bodies == 0
            && object.int("varlevelsup") == Some(self.depth)
            && object.int("varno") == Some(1);
        match object
            .int("varattno")
            .and_then(|number| i16::try_from(number).ok())
        {
            Some(number) if ours => Expr::Column {
                number,
                type_oid: object.oid("vartype").unwrap_or(0),
            },
            Some(number) => match self.relation(object) {
                Some(relation) => Expr::Foreign { relation, number },
                None => Expr::Other(Vec::new()),
            },
            None => Expr::Other(Vec::new()),
        }
    }

    /// The relation that a column is of, where a sub-select reads it.
    fn relation(&self, object: &Object<'_>) -> Option<Oid> {
        let up = usize::try_from(object.int("varlevelsup")?).ok()?;
        let query = self.tables.len().checked_sub(up + 1)?;
        let place = usize::try_from(object.int("varno")? - 1).ok()?;
        self.tables[query].get(place).copied().filter(|&oid| oid != 0)
    }

    fn enter(&mut self, query: &Object<'_>) {
        let entries = query.items("rtable").iter().map(|entry| {
            let entry = entry.object().filter(|entry| entry.int("rtekind") == Some(0));
            entry.and_then(|entry| entry.oid("relid")).unwrap_or(0)
        });
        self.tables.push(entries.collect());
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.tables.pop();
    }

    fn call(&mut self, object: &Object<'_>) -> Expr {
        let function = match object.name {
            "FUNCEXPR" => object.oid("funcid"),
            _ => object.oid("opfuncid"),
        };
        let mut function = function.unwrap_or(0);
        if function == 0 {
            let operator = object.oid("opno").and_then(|oid| self.catalog.operators.get(oid));
            function = operator.map_or(0, |operator| operator.function);
        }
        let mut args = self.list(object.items("args"));
        let known = builtin(function);
        if let (Some(Builtin::CurrentSetting | Builtin::CurrentSettingMissingOk), Some(Expr::Text(name))) =
            (known, args.first())
        {
            return Expr::Setting {
                name: name.to_lowercase(),
                missing_ok: matches!(args.get(1), Some(Expr::Bool(true))),
            };
        }
        if let Some(Builtin::CurrentUser | Builtin::SessionUser) = known {
            return Expr::User;
        }
        if let (2, Some(is_equal)) = (args.len(), equality(known)) {
            let right = Box::new(args.pop().unwrap_or(Expr::Null));
            let left = Box::new(args.pop().unwrap_or(Expr::Null));
            let collation = object.oid("inputcollid").unwrap_or(0);
            return Expr::Equal {
                left,
                right,
                negated: !is_equal,
                collation,
            };
        }
        // Of a conversion by function, 1 is explicit and 2 implicit. More arguments cut to a length.
        if args.len() == 1 && matches!(object.int("funcformat"), Some(1 | 2)) {
            return Expr::Cast {
                arg: Box::new(args.remove(0)),
                target: object.oid("funcresulttype").unwrap_or(0),
            };
        }
        let body = match self.catalog.functions.get(function) {
            Some(called) if function >= 16384 => self.body(called, &args).map(Box::new),
            _ => None,
        };
        Expr::Call { function, args, body }
    }

    /// What a SQL function computes: from its stored tree, or from text of a form that can be read for certain.
    fn body(&mut self, function: &Function, args: &[Expr]) -> Option<Expr> {
        if self.bodies >= MAX_BODIES || function.returns_set {
            return None;
        }
        let Some(tree) = &function.body_tree else {
            return body::computes(function);
        };
        let parsed = Node::parse(tree).ok()?;
        let query = only_query(&parsed)?;
        if !plain_select(query) {
            return None;
        }
        let [target] = query.items("targetList") else {
            return None;
        };
        let mut inner = Lowering::new(self.catalog, self.bodies + 1, args);
        Some(inner.node(target.object()?.get("expr")))
    }

    fn any_of(&mut self, object: &Object<'_>) -> Expr {
        let function = object.oid("opfuncid").unwrap_or(0);
        let args = object.items("args");
        let elements = args
            .get(1)
            .and_then(Node::object)
            .filter(|array| matches!(array.name, "ARRAYEXPR" | "ARRAY"));
        let is_equality = equality(builtin(function)) == Some(true) && object.flag("useOr") == Some(true);
        match (args.first(), elements) {
            (Some(left), Some(array)) if is_equality => Expr::In {
                left: Box::new(self.node(left)),
                list: self.list(array.items("elements")),
                collation: object.oid("inputcollid").unwrap_or(0),
            },
            _ => Expr::Call {
                function,
                args: self.list(args),
                body: None,
            },
        }
    }

    fn case(&mut self, object: &Object<'_>) -> Expr {
        let outer = self.case.take();
        if !object.get("arg").is_null() {
            self.case = Some(self.node(object.get("arg")));
        }
        let arms = object
            .items("args")
            .iter()
            .filter_map(Node::object)
            .map(|arm| (self.node(arm.get("expr")), self.node(arm.get("result"))))
            .collect();
        let otherwise = match object.get("defresult") {
            Node::Null => Box::new(Expr::Null),
            result => Box::new(self.node(result)),
        };
        self.case = outer;
        Expr::Case { arms, otherwise }
    }

    fn sublink(&mut self, object: &Object<'_>) -> Expr {
        const SCALAR: i64 = 4;
        let Some(query) = object.object("subselect") else {
            return Expr::Other(self.fields(object));
        };
        if object.int("subLinkType") == Some(SCALAR)
            && plain_select(query)
            && let [target] = query.items("targetList")
        {
            self.enter(query);
            let inner = target.object().map(|target| self.node(target.get("expr")));
            self.leave();
            return Expr::Once(Box::new(inner.unwrap_or(Expr::Null)));
        }
        let test = match object.get("testexpr") {
            Node::Null => Vec::new(),
            test => vec![self.node(test)],
        };
        self.enter(query);
        let targets = query.items("targetList").iter().filter_map(Node::object);
        let target = targets.map(|target| self.node(target.get("expr"))).collect();
        let rest = self.fields_but(query, "targetList");
        self.leave();
        Expr::Sub { test, target, rest }
    }
}

fn constant(object: &Object<'_>) -> Expr {
    match literal(object) {
        Ok(None) => Expr::Null,
        Ok(Some(Value::Bool(truth))) => Expr::Bool(truth),
        Ok(Some(value)) => match print(&value) {
            Some(text) => Expr::Text(text.into_owned()),
            None => Expr::Other(Vec::new()),
        },
        Err(_) => Expr::Other(Vec::new()),
    }
}

/// Whether the function is PostgreSQL's `=` (`true`) or `<>` of values that a tenant or a switch can be.
fn equality(function: Option<Builtin>) -> Option<bool> {
    let Some(Builtin::Compare(order, group)) = function else {
        return None;
    };
    let is_known = matches!(
        group,
        Group::Bool | Group::Blank | Group::Int | Group::Text | Group::Uuid | Group::Numeric
    );
    match order {
        Order::Equal if is_known => Some(true),
        Order::NotEqual if is_known => Some(false),
        _ => None,
    }
}
