//! The variables that an expression uses and does not bind itself.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Block, Expr, Pat, Stmt};

use super::arguments::identifiers;

/// Returns each use of a variable that `expression` certainly does not bind, in order. The tokens
/// of a macro may mean anything, and a `cfg` may leave any part.
pub(super) fn free(expression: &Expr) -> Vec<Ident> {
    // Input:
    //     |error| Status { code: limit, message: error.message(name) }
    //
    // Output:
    //     limit, name
    let mut names = Names::default();
    names.add(expression);
    let Names { mut used, bound } = names;
    let words = identifiers(expression.to_token_stream());
    let is_conditional = words.iter().any(|word| word == "cfg" || word == "cfg_attr");
    used.retain(|name| !is_conditional && !bound.contains(name));
    used
}

#[derive(Default)]
struct Names {
    used: Vec<Ident>,
    /// The names that are bound anywhere, and everything else that a pattern or an item names.
    bound: Vec<Ident>,
}

impl Names {
    fn add(&mut self, expression: &Expr) {
        match expression {
            Expr::Path(path) => self.used.extend(path.path.get_ident().cloned()),
            Expr::Array(array) => self.add_all(&array.elems),
            Expr::Assign(assignment) => self.add_all([&*assignment.left, &assignment.right]),
            Expr::Async(future) => self.add_block(&future.block),
            Expr::Await(future) => self.add(&future.base),
            Expr::Binary(binary) => self.add_all([&*binary.left, &binary.right]),
            Expr::Block(block) => self.add_block(&block.block),
            Expr::Break(end) => self.add_all(end.expr.as_deref()),
            Expr::Call(call) => {
                self.add(&call.func);
                self.add_all(&call.args);
            }
            Expr::Cast(cast) => self.add(&cast.expr),
            Expr::Closure(closure) => {
                self.bound
                    .extend(identifiers(closure.inputs.to_token_stream()));
                self.add(&closure.body);
            }
            Expr::Field(field) => self.add(&field.base),
            Expr::ForLoop(looped) => {
                self.bind(&looped.pat);
                self.add(&looped.expr);
                self.add_block(&looped.body);
            }
            Expr::Group(group) => self.add(&group.expr),
            Expr::If(choice) => {
                self.add(&choice.cond);
                self.add_block(&choice.then_branch);
                self.add_all(choice.else_branch.as_ref().map(|(_, other)| &**other));
            }
            Expr::Index(index) => self.add_all([&*index.expr, &index.index]),
            Expr::Let(condition) => {
                self.bind(&condition.pat);
                self.add(&condition.expr);
            }
            Expr::Loop(looped) => self.add_block(&looped.body),
            Expr::Macro(call) => self.bound.extend(identifiers(call.mac.tokens.clone())),
            Expr::Match(choice) => {
                self.add(&choice.expr);
                for arm in &choice.arms {
                    self.bind(&arm.pat);
                    self.add(&arm.body);
                }
            }
            Expr::MethodCall(call) => {
                self.add(&call.receiver);
                self.add_all(&call.args);
            }
            Expr::Paren(paren) => self.add(&paren.expr),
            Expr::Range(range) => {
                self.add_all(range.start.as_deref());
                self.add_all(range.end.as_deref());
            }
            Expr::Reference(reference) => self.add(&reference.expr),
            Expr::Repeat(array) => self.add(&array.expr),
            Expr::Return(end) => self.add_all(end.expr.as_deref()),
            Expr::Struct(value) => {
                self.add_all(value.fields.iter().map(|field| &field.expr));
                self.add_all(value.rest.as_deref());
            }
            Expr::Try(result) => self.add(&result.expr),
            Expr::Tuple(tuple) => self.add_all(&tuple.elems),
            Expr::Unary(unary) => self.add(&unary.expr),
            Expr::Unsafe(block) => self.add_block(&block.block),
            Expr::While(looped) => {
                self.add(&looped.cond);
                self.add_block(&looped.body);
            }
            _ => {}
        }
    }

    fn add_all<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr>) {
        for expression in expressions {
            self.add(expression);
        }
    }

    fn add_block(&mut self, block: &Block) {
        for statement in &block.stmts {
            match statement {
                Stmt::Local(local) => {
                    self.bind(&local.pat);
                    if let Some(init) = &local.init {
                        self.add(&init.expr);
                        self.add_all(init.diverge.as_ref().map(|(_, other)| &**other));
                    }
                }
                Stmt::Item(item) => self.bound.extend(identifiers(item.to_token_stream())),
                Stmt::Expr(expression, _) => self.add(expression),
                Stmt::Macro(call) => self.bound.extend(identifiers(call.mac.tokens.clone())),
            }
        }
    }

    fn bind(&mut self, pattern: &Pat) {
        self.bound.extend(identifiers(pattern.to_token_stream()));
    }
}

#[cfg(test)]
mod tests {
    use super::free;
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn a_variable_is_what_an_expression_neither_binds_nor_only_spells() {
        for (expression, expected) in [
            (quote!(|_| Ok(name.len())), true),
            (quote!(|error| Status { name }), true),
            (quote!(|error| Status { code: name }), true),
            (
                quote!(|error| if error > 1 { [1, name.id] } else { other }),
                true,
            ),
            (
                quote!(|error| match stored(&name).await? {
                    Some(it) => it,
                    _ => 1,
                }),
                true,
            ),
            (
                quote!(|error| {
                    let it = name;
                    it
                }),
                true,
            ),
            (
                quote!(|error| Status {
                    name: error.to_string()
                }),
                false,
            ),
            (quote!(|error| error.name(error.name)), false),
            (quote!(|name| name), false),
            (quote!(|Status { name, .. }| name), false),
            (
                quote!(|error| match error {
                    Some(name) if name.is_empty() => name,
                    _ => 1,
                }),
                false,
            ),
            (
                quote!(|error| if let Some(name) = error { name } else { 1 }),
                false,
            ),
            (
                quote!(|error| {
                    let name = 1;
                    name
                }),
                false,
            ),
            (
                quote!(|error| {
                    fn name() {}
                    name()
                }),
                false,
            ),
            (quote!(|error| error.map(|name| name.len())), false),
            (
                quote!(|error| 'name: loop {
                    break 'name 1;
                }),
                false,
            ),
            (quote!(|error| name::of(error, Kind::name)), false),
            (
                quote!(|error| matches!(error, Status { name: 500.. })),
                false,
            ),
            (
                quote!(|error| {
                    log!(name 1);
                    1
                }),
                false,
            ),
            (
                quote!(|error| {
                    #[cfg(test)]
                    drop(name);
                    1
                }),
                false,
            ),
        ] {
            let found = free(&parse_quote!(#expression));
            assert_eq!(
                found.iter().any(|it| it == "name"),
                expected,
                "{expression}"
            );
        }
    }
}
