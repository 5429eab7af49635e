//! Rust sources, parsed.

use crate::Text;
use proc_macro2::Span;
use syn::visit::{self, Visit};

/// A function and the lines it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// What the rules want to know about one source file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) functions: Vec<Function>,
    pub(crate) unsafe_lines: Vec<usize>,
    pub(crate) modules: Vec<(String, usize)>,
    pub(crate) forbids_unsafe: bool,
}

/// The facts, read once; `None` when the file is no valid Rust, which the compiler tells better.
pub(crate) fn facts(file: &Text) -> Option<&Facts> {
    file.facts.get_or_init(|| read(file)).as_ref()
}

fn read(file: &Text) -> Option<Facts> {
    let parsed = syn::parse_file(file.body()).ok()?;
    let mut facts = Facts { forbids_unsafe: parsed.attrs.iter().any(is_forbid), ..Facts::default() };
    facts.visit_file(&parsed);
    Some(facts)
}

fn is_forbid(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    list.path.is_ident("forbid") && list.tokens.to_string().contains("unsafe_code")
}

impl Facts {
    fn function(&mut self, sig: &syn::Signature, block: &syn::Block) {
        let first = line(sig.fn_token.span);
        let last = block.brace_token.span.close().end().line;
        self.functions.push(Function { name: sig.ident.to_string(), first, last });
        if let Some(token) = &sig.unsafety {
            self.unsafe_lines.push(line(token.span));
        }
    }
}

fn line(span: Span) -> usize {
    span.start().line
}

impl<'ast> Visit<'ast> for Facts {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.unsafe_lines.push(line(block.unsafe_token.span));
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some(token) = &item.unsafety {
            self.unsafe_lines.push(line(token.span));
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.modules.push((item.ident.to_string(), line(item.mod_token.span)));
        visit::visit_item_mod(self, item);
    }
}
