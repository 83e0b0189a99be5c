//! Random policy expressions: what people write, and what looks like it.

use rls_tool::proof::Command;

/// A small generator of numbers (SplitMix64): the same on every platform and for ever.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) policies: Vec<Policy>,
    pub(crate) command: Command,
}

/// One policy.
#[derive(Debug)]
pub(crate) struct Policy {
    /// None for ALL.
    pub(crate) command: Option<Command>,
    pub(crate) permissive: bool,
    pub(crate) using: Option<String>,
    pub(crate) check: Option<String>,
}

impl Case {
    /// What a row must pass that is there, or, if `written`, one that is written; as PostgreSQL puts policies together.
    pub(crate) fn filter(&self, written: bool) -> String {
        let expressions = |permissive: bool| -> Vec<String> {
            let policies = self.policies.iter().filter(|policy| {
                policy.permissive == permissive && policy.command.is_none_or(|of| of == self.command)
            });
            let expressions = policies.filter_map(|policy| {
                let check = policy.check.as_ref().filter(|_| written);
                check
                    .or(policy.using.as_ref())
                    .map(|expression| format!("({expression})"))
            });
            expressions.collect()
        };
        let (any, all) = (expressions(true), expressions(false));
        let any = if any.is_empty() {
            "false".to_owned()
        } else {
            format!("({})", any.join(" or "))
        };
        [vec![any], all].concat().join(" and ")
    }
}

const TENANT: &str = "current_setting('app.current_tenant', true)";

const CLAIMS: &str = "nullif(current_setting('request.jwt.claims', true), '')::jsonb";

/// Expressions over one table; `number` says whether its tenant column is an integer.
pub(crate) struct Expressions {
    pub(crate) numbers: Numbers,
    pub(crate) number: bool,
}

impl Expressions {
    /// One case: what is done, and the policies.
    pub(crate) fn case(&mut self) -> Case {
        let command = match self.numbers.below(10) {
            0 => Command::Insert,
            1 | 2 => Command::Update,
            3 => Command::Delete,
            _ => Command::Select,
        };
        let permissive = 1 + self.numbers.below(5) / 4;
        let restrictive = self.numbers.below(5) / 4;
        let kinds = [vec![true; permissive], vec![false; restrictive]].concat();
        let policies = kinds
            .into_iter()
            .map(|permissive| self.policy(permissive, command));
        Case {
            policies: policies.collect(),
            command,
        }
    }

    /// A policy for the command or for all, now and then for another one.
    fn policy(&mut self, permissive: bool, command: Command) -> Policy {
        let of = match self.numbers.below(6) {
            0 => Some(Command::ALL[self.numbers.below(4)]),
            1 | 2 => Some(command),
            _ => None,
        };
        let has_check = match of {
            Some(Command::Insert) => true,
            Some(Command::Select | Command::Delete) => false,
            Some(Command::Update) | None => self.numbers.below(3) == 0,
        };
        Policy {
            command: of,
            permissive,
            using: (of != Some(Command::Insert)).then(|| self.boolean(3)),
            check: has_check.then(|| self.boolean(3)),
        }
    }

    /// The comparison that a policy should be made of, or nearly.
    fn border(&mut self) -> String {
        let tenant = self.tenant();
        match self.numbers.below(8) {
            0 => format!("{tenant} = tenant_id"),
            1 => format!("tenant_id in ({tenant})"),
            2 => format!("tenant_id = any (array[{tenant}])"),
            3 => format!("tenant_id is not distinct from {tenant}"),
            4 => format!("not (tenant_id <> {tenant})"),
            _ => format!("tenant_id = {tenant}"),
        }
    }

    /// Who is asking, in one of many ways.
    fn tenant(&mut self) -> String {
        let cast = if self.number { "::int" } else { "" };
        match self.numbers.below(12) {
            0 => format!("current_setting('app.current_tenant'){cast}"),
            6 => format!("({CLAIMS} ->> 'tenant'){cast}"),
            7 => format!("({CLAIMS} #>> '{{tenant}}'){cast}"),
            8 => "app.tenant_by_text()".to_owned(),
            1 => format!("(select nullif({TENANT}, ''){cast})"),
            2 => format!("{TENANT}{cast}"),
            3 => format!("coalesce(nullif({TENANT}, ''), {}){cast}", self.literal()),
            4 => format!("case when {TENANT} = '' then null else {TENANT} end{cast}"),
            5 => "app.tenant()".to_owned(),
            _ => format!("nullif({TENANT}, ''){cast}"),
        }
    }

    fn literal(&mut self) -> &'static str {
        if self.number {
            self.numbers.one(&["'1'", "'2'", "''"])
        } else {
            self.numbers.one(&["'a'", "'b'", "''", "'ab'"])
        }
    }

    /// A value of the tenant column's type.
    fn value(&mut self, depth: usize) -> String {
        if depth == 0 || self.numbers.below(3) == 0 {
            return match self.numbers.below(7) {
                0 | 1 => "tenant_id".to_owned(),
                2 => "owner".to_owned(),
                3 => self.setting(),
                4 if self.number => self.numbers.one(&["1", "2", "0", "null::int"]).to_owned(),
                4 => format!("{}::text", self.literal()),
                _ => self.tenant(),
            };
        }
        let value = self.value(depth - 1);
        match self.numbers.below(13) {
            10 => format!("app.either({value}, {})", self.value(depth - 1)),
            11 if self.number => format!("{value}::numeric::int"),
            11 => format!("split_part({value}, 'b', 1)"),
            0 => format!("coalesce({value}, {})", self.value(depth - 1)),
            1 => format!("nullif({value}, {})", self.value(depth - 1)),
            2 => {
                let (when, other) = (self.boolean(depth - 1), self.value(depth - 1));
                format!("(case when {when} then {value} else {other} end)")
            }
            3 => format!("(select {value})"),
            4 if self.number => format!("({value} + 0)"),
            4 => format!("left({value}, {})", self.numbers.one(&["1", "2", "-1"])),
            5 if self.number => format!("{value}::bigint::int"),
            5 => format!("lower({value})"),
            6 if self.number => format!("{value}::text::int"),
            6 => format!(
                "{value}::{}::text",
                self.numbers.one(&["varchar(1)", "char(2)", "name", "varchar"])
            ),
            7 if self.number => format!("{value}::smallint::int"),
            7 => format!("trim({value} || ' ')"),
            8 => format!("(select {value} where {})", self.boolean(depth - 1)),
            9 => format!("(select m.tenant_id from app.m where m.owner = {value} limit 1)"),
            _ => value,
        }
    }

    /// A setting that the session may set.
    fn setting(&mut self) -> String {
        let text = self.numbers.one(&[
            "current_setting('app.x', true)",
            "nullif(current_setting('app.x', true), '')",
        ]);
        if self.number {
            format!("{text}::int")
        } else {
            text.to_owned()
        }
    }

    fn boolean(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.numbers.below(6) {
                0 => "flag".to_owned(),
                1 => format!("{TENANT} = {}", self.literal()),
                2 => "tenant_id is null".to_owned(),
                3 => format!("{} is not null", self.setting()),
                _ => self.border(),
            };
        }
        let deeper = depth - 1;
        match self.numbers.below(21) {
            17 => format!("app.alike({}, {})", self.value(deeper), self.value(deeper)),
            18 => format!(
                "({}, {}) in (select {}, owner)",
                self.value(deeper),
                self.value(deeper),
                self.tenant()
            ),
            19 => format!(
                "exists (select from app.m join (select owner as o from app.m) n on n.o = m.tenant_id where m.tenant_id = {} and {})",
                self.value(deeper),
                self.boolean(deeper)
            ),
            0..4 => self.border(),
            4..6 => format!("({} and {})", self.boolean(deeper), self.boolean(deeper)),
            6 => format!("({} or {})", self.boolean(deeper), self.boolean(deeper)),
            7 => format!("not ({})", self.boolean(deeper)),
            8 => {
                let test = self.numbers.one(&[
                    "is true",
                    "is not false",
                    "is not true",
                    "is unknown",
                    "is not null",
                ]);
                format!("({}) {test}", self.boolean(deeper))
            }
            9 => {
                let operator = self.numbers.one(&[
                    "=",
                    "=",
                    "<>",
                    "<",
                    ">=",
                    "is distinct from",
                    "is not distinct from",
                ]);
                format!("{} {operator} {}", self.value(deeper), self.value(deeper))
            }
            10 => {
                let (when, then, other) = (self.boolean(deeper), self.boolean(deeper), self.boolean(deeper));
                format!("(case when {when} then {then} else {other} end)")
            }
            11 => format!(
                "coalesce({}, {})",
                self.boolean(deeper),
                self.numbers.one(&["true", "false"])
            ),
            12 => format!(
                "{} in ({}, {})",
                self.value(deeper),
                self.value(deeper),
                self.value(deeper)
            ),
            13 => {
                let how = self.numbers.one(&["= any", "<> all", "= all"]);
                format!(
                    "{} {how} (array[{}, {}])",
                    self.value(deeper),
                    self.value(deeper),
                    self.value(deeper)
                )
            }
            14 => format!(
                "({}, {}) = ({}, owner)",
                self.value(deeper),
                self.value(deeper),
                self.tenant()
            ),
            15 => {
                let not = self.numbers.one(&["", "", "not "]);
                let from = self.numbers.one(&[
                    "",
                    "from unnest(array[owner, tenant_id]) as u(v)",
                    "from app.m where m.tenant_id = {t} and",
                    "from app.m where m.owner = t.owner and",
                ]);
                let (tenant, condition) = (self.tenant(), self.boolean(deeper));
                let word = if from.ends_with("and") { "" } else { "where" };
                format!(
                    "{not}exists (select 1 {} {word} {condition})",
                    from.replace("{t}", &tenant)
                )
            }
            16 => format!(
                "{} in (select m.tenant_id from app.m where {})",
                self.value(deeper),
                self.boolean(deeper)
            ),
            _ => format!("{} is null", self.value(deeper)),
        }
    }
}
