//! What to call a function with: the session's own values, ids and content of the other tenant, hostile text, and plain
//! values; arguments are matched to columns by their names.

use crate::attack::marks::{Known, names_a_row};
use crate::attack::rows::{Form, Literal, Scene, Seed, Side, TypeShape, Wish, sample};

/// An argument that a call has to give.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    /// Empty where it has none.
    pub(crate) name: String,
    pub(crate) ty: TypeShape,
    /// OUT argument of a procedure: a place for NULL.
    pub(crate) out: bool,
}

/// What somebody has to know to make the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// Own values: the positive control; and what of the row's content is among them.
    Own(Option<Known>),
    /// Ids, hostile text, plain values.
    Guess,
    /// Content of the other tenant's row.
    Content(Known),
}

/// A call: a value for each argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) what: &'static str,
    pub(crate) values: Vec<Literal>,
    pub(crate) knowledge: Knowledge,
}

/// Calls of one function.
const MOST: usize = 64;

/// Tables whose rows are tried.
pub(super) const MOST_TABLES: usize = 12;

/// Words that names of arguments are dressed up with.
fn bare(name: &str) -> String {
    let name = name.to_lowercase();
    let name = ["p_", "_", "in_", "arg_", "v_", "i_", "param_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(&name);
    let name = ["_in", "_arg", "_", "_param"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    name.replace('_', "")
}

/// Whether an argument of this type takes a column's value.
fn takes(argument: &TypeShape, column: &TypeShape) -> bool {
    let (argument, column) = (argument.bottom(), column.bottom());
    argument.form == column.form
        || argument.is_text()
        || argument.is_number() && column.is_number()
        || argument.is_time() && column.is_time()
}

/// Makes the calls of one function.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) arguments: &'a [Argument],
    /// The tables to take rows from, those that the function names first.
    pub(crate) tables: Vec<usize>,
    pub(crate) tenants: &'a [String; 2],
    /// Texts for each table's name: `app.users`.
    pub(crate) table_names: Vec<String>,
    pub(crate) seed: Seed,
}

impl Caller<'_> {
    /// All calls, likeliest first, none twice.
    pub(crate) fn calls(mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        for side in [Side::A, Side::B] {
            self.by_name(side, &mut calls);
        }
        self.hostile(&mut calls);
        self.plain(&mut calls);
        for side in [Side::A, Side::B] {
            self.by_type(side, &mut calls);
        }
        self.names_of_tables(&mut calls);
        let mut unique: Vec<Call> = Vec::with_capacity(calls.len());
        for call in calls {
            if !unique.iter().any(|known| known.values == call.values) {
                unique.push(call);
            }
        }
        // What is known beforehand stays: it is the control.
        unique.truncate(MOST);
        unique
    }

    /// The column of a table that an argument is named after.
    fn column(&self, table: usize, argument: &Argument) -> Option<usize> {
        let shape = &self.scene.shapes[table];
        let wanted = bare(&argument.name);
        if wanted.is_empty() {
            return None;
        }
        let of_table = bare(shape.name.name.as_str());
        let singular = of_table.strip_suffix('s').unwrap_or(&of_table).to_owned();
        let named = |column: &usize| {
            let name = bare(shape.columns[*column].name.as_str());
            name == wanted
                || format!("{singular}{name}") == wanted
                || format!("{of_table}{name}") == wanted
                || (name == "id" && singular == wanted)
        };
        (0..shape.columns.len())
            .filter(named)
            .find(|&column| takes(&argument.ty, &shape.columns[column].ty))
    }

    /// Whether an argument is the tenant, by its name.
    fn is_tenant(&self, argument: &Argument) -> bool {
        let wanted = bare(&argument.name);
        let own = |&table: &usize| {
            let column = self.scene.belongs[table].column()?;
            Some(bare(self.scene.shapes[table].columns[column].name.as_str()))
        };
        wanted.contains("tenant")
            || self
                .tables
                .iter()
                .filter_map(own)
                .any(|name| name != "id" && name == wanted)
    }

    fn tenant(&self, side: Side) -> String {
        self.tenants[usize::from(side == Side::B)].clone()
    }

    /// A value for an argument that nothing is known about.
    pub(super) fn filler(&mut self, argument: &Argument) -> Literal {
        if argument.out {
            return None;
        }
        Some(match &argument.ty.bottom().form {
            Form::Base(name) if name == "jsonb" || name == "json" => "{}".to_owned(),
            // A limit, an amount, a page.
            _ if argument.ty.is_number() => "1".to_owned(),
            _ => sample(&argument.ty, Wish::Plain, "rlstool", &mut self.seed),
        })
    }

    fn push(calls: &mut Vec<Call>, side: Side, values: Vec<Literal>, content: Option<Known>) {
        let (what, knowledge) = match (side, content) {
            (Side::A, known) => ("called with its own values", Knowledge::Own(known)),
            (_, Some(known)) => (
                "called with content of another tenant's row",
                Knowledge::Content(known),
            ),
            _ => ("called with another tenant's ids", Knowledge::Guess),
        };
        calls.push(Call {
            what,
            values,
            knowledge,
        });
    }

    /// Arguments named after columns get a row's values, all from one row.
    fn by_name(&mut self, side: Side, calls: &mut Vec<Call>) {
        let has_tenant = self.arguments.iter().any(|argument| self.is_tenant(argument));
        for table in self.tables.clone() {
            let columns: Vec<Option<usize>> = self
                .arguments
                .iter()
                .map(|argument| self.column(table, argument))
                .collect();
            let only_tenant = columns
                .iter()
                .flatten()
                .all(|&column| self.scene.belongs[table].column() == Some(column));
            if columns.iter().all(Option::is_none) || only_tenant {
                continue;
            }
            for number in [0, 1] {
                let Some(row) = self.scene.rows.get(&(table, side, number)).cloned() else {
                    continue;
                };
                // The row's own tenant, and the other one: a function may trust either.
                for tenant_side in [side, if side == Side::A { Side::B } else { Side::A }] {
                    if tenant_side != side && !has_tenant {
                        continue;
                    }
                    let mut content: Option<Known> = None;
                    let mut values = Vec::new();
                    for (argument, column) in self.arguments.iter().zip(&columns) {
                        values.push(if argument.out {
                            None
                        } else if self.is_tenant(argument) {
                            Some(self.tenant(tenant_side))
                        } else if let Some(value) = column.and_then(|column| row.get(column)) {
                            let column = column.unwrap_or_default();
                            if !names_a_row(self.scene, table, column) && telling(value) {
                                content = Some(self.known(table, column, content));
                            }
                            Some(value.to_owned())
                        } else {
                            self.filler(argument)
                        });
                    }
                    let side = if tenant_side == side { side } else { Side::B };
                    Self::push(calls, side, values, content);
                }
            }
        }
        if has_tenant {
            let mut values = Vec::new();
            for argument in self.arguments {
                values.push(if self.is_tenant(argument) {
                    Some(self.tenant(side))
                } else {
                    self.filler(argument)
                });
            }
            Self::push(calls, side, values, None);
        }
    }

    /// What is given away by having a column's value.
    fn known(&self, table: usize, column: usize, known: Option<Known>) -> Known {
        let shape = &self.scene.shapes[table];
        let name = shape.columns[column].name.as_str().to_lowercase();
        let words = [
            "token",
            "secret",
            "hash",
            "password",
            "digest",
            "nonce",
            "otp",
            "code",
            "api_key",
            "signature",
        ];
        let secret = words.iter().any(|word| name.contains(word))
            || matches!(&shape.columns[column].ty.bottom().form, Form::Base(name) if name == "bytea");
        let here = format!("{}.{}", shape.name.plain(), shape.columns[column].name.as_str());
        match known {
            Some(known) => Known {
                what: format!("{} and {here}", known.what),
                secret: known.secret || secret,
            },
            None => Known { what: here, secret },
        }
    }

    /// Arguments of unknown meaning get ids.
    fn by_type(&mut self, side: Side, calls: &mut Vec<Call>) {
        for place in 0..self.arguments.len() {
            let argument = self.arguments[place].clone();
            if argument.out {
                continue;
            }
            for table in self.tables.iter().copied().take(MOST_TABLES).collect::<Vec<_>>() {
                let shape = &self.scene.shapes[table];
                let Some(row) = self.scene.rows.get(&(table, side, 0)).cloned() else {
                    continue;
                };
                let json = matches!(&argument.ty.bottom().form, Form::Base(name) if name.starts_with("json"));
                let columns: Vec<usize> = (0..shape.columns.len())
                    .filter(|&column| names_a_row(self.scene, table, column))
                    .collect();
                let mut found = Vec::new();
                if json {
                    let pairs: serde_json::Map<String, serde_json::Value> = columns
                        .iter()
                        .filter_map(|&column| {
                            let name = shape.columns[column].name.as_str().to_owned();
                            Some((name, row.get(column)?.into()))
                        })
                        .collect();
                    found.push(serde_json::Value::Object(pairs).to_string());
                }
                for column in columns {
                    let ty = &shape.columns[column].ty;
                    let Some(value) = row.get(column) else {
                        continue;
                    };
                    match &argument.ty.bottom().form {
                        Form::Array(element) if takes(element, ty) => found.push(format!("{{{value}}}")),
                        _ if !json && takes(&argument.ty, ty) => found.push(value.to_owned()),
                        _ => {}
                    }
                }
                for value in found {
                    let mut values = Vec::new();
                    for (index, other) in self.arguments.iter().enumerate() {
                        values.push(if index == place {
                            Some(value.clone())
                        } else if self.is_tenant(other) {
                            Some(self.tenant(Side::A))
                        } else {
                            self.filler(other)
                        });
                    }
                    Self::push(calls, side, values, None);
                }
            }
        }
    }
}

/// Whether having the value says something: `false` and `1` are anybody's guess.
fn telling(value: &str) -> bool {
    value.len() >= 4
}
