//! Why components do not go together, in the words of the manifest.

use cumulet_spec::id::ComponentName;
use cumulet_spec::member::MEMBERS_MAX;
use thiserror::Error;

/// The most names that a text lists.
const LISTED_MAX: usize = 8;

/// Components that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposeError {
    /// Everything that was found; at least one.
    pub problems: Vec<Problem>,
}

impl std::error::Error for ComposeError {}

impl std::fmt::Display for ComposeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the components cannot be linked")?;
        self.problems
            .iter()
            .enumerate()
            .try_for_each(|(place, problem)| write!(f, "{}{problem}", if place == 0 { ": " } else { "; " }))
    }
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct Problem {
    /// The component whose links, or whose bytes, it is about.
    pub component: ComponentName,
    /// The key of the link in the manifest, if it is about one.
    pub link: Option<String>,
    /// What does not fit.
    pub kind: ProblemKind,
}

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProblemKind {
    /// The link names nothing that its component imports.
    #[error("`{importer}` imports no `{link}`")]
    NoImport {
        /// The component with the link.
        importer: ComponentName,
        /// The key of the link.
        link: String,
        /// The import that comes nearest.
        nearest: Option<String>,
    },
    /// The component that the link leads to does not export it.
    #[error("`{importer}` imports `{import}`, and `{exporter}` does not export it")]
    NoExport {
        /// Who imports.
        importer: ComponentName,
        /// What.
        import: String,
        /// Whom the link leads to.
        exporter: ComponentName,
        /// What that one exports.
        exports: Vec<String>,
    },
    /// Both speak of one interface, in versions that do not go together.
    #[error("`{importer}` imports `{import}`, and `{exporter}` exports `{export}`: two versions of one interface")]
    Versions {
        /// Who imports.
        importer: ComponentName,
        /// What.
        import: String,
        /// Whom the link leads to.
        exporter: ComponentName,
        /// What that one exports.
        export: String,
    },
    /// The importer uses something of the interface that the exporter's does not have.
    #[error("`{importer}` uses {item} of `{import}`, and `{exporter}` exports `{export}` without it")]
    Lacks {
        /// Who imports.
        importer: ComponentName,
        /// What.
        import: String,
        /// Whom the link leads to.
        exporter: ComponentName,
        /// What that one exports.
        export: String,
        /// What is missing, such as ``the function `check` ``.
        item: String,
    },
    /// Both have it, and it is not the same.
    #[error(
        "{item} of `{import}` is not the same on both sides: `{importer}` imports {wanted}, `{exporter}` exports {found} in `{export}` ({difference})"
    )]
    Differs {
        /// Who imports.
        importer: ComponentName,
        /// What.
        import: String,
        /// Whom the link leads to.
        exporter: ComponentName,
        /// What that one exports.
        export: String,
        /// What differs, such as ``the function `check` ``.
        item: String,
        /// How the importer has it.
        wanted: String,
        /// How the exporter has it.
        found: String,
        /// The first place where they part; what was expected is the importer's.
        difference: String,
    },
    /// A handle of what each component was granted for itself.
    #[error(
        "`{interface}` hands `{handle}` of `{owner}` from one component to another, and what is granted is granted to one"
    )]
    OwnHandle {
        /// The interface that is linked.
        interface: String,
        /// The type.
        handle: String,
        /// The interface that it comes from.
        owner: String,
    },
    /// Two members import one interface with types that exclude each other.
    #[error("`{first}` and `{second}` import `{import}` with types that exclude each other ({difference})")]
    Imports {
        /// One of them.
        first: ComponentName,
        /// The other.
        second: ComponentName,
        /// The interface.
        import: String,
        /// The first place where they part.
        difference: String,
    },
    /// The component is a core module.
    #[error("`{0}` is a core module, and only components can be linked")]
    Module(ComponentName),
    /// The component is not valid.
    #[error("`{component}` is not valid WebAssembly: {message}")]
    Invalid {
        /// Which.
        component: ComponentName,
        /// What is wrong.
        message: String,
    },
    /// The component has a name for itself that only a composition may have.
    #[error("`{component}` imports `{import}`, and names with `member` and a number are kept for compositions")]
    Reserved {
        /// Which.
        component: ComponentName,
        /// The import.
        import: String,
    },
    /// An import is written in a way that cannot be kept apart from others'.
    #[error("`{component}` cannot be linked: {message}")]
    Unnameable {
        /// Which.
        component: ComponentName,
        /// What is wrong.
        message: String,
    },
    /// The links reach too many components.
    #[error("{found} components are linked into one, and at most {MEMBERS_MAX} can be")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// All links fit one by one, and the whole does not.
    #[error("the links fit, and what they make is not valid: {message}")]
    Whole {
        /// What is wrong with it.
        message: String,
    },
}

impl ProblemKind {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoImport { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::NoImport { importer, .. } => {
                format!("remove the link, or see with `cumulet check` what `{importer}` imports")
            }
            Self::NoExport { exporter, exports, .. } if exports.is_empty() => {
                format!("`{exporter}` exports nothing; link another component")
            }
            Self::NoExport { exporter, exports, .. } => {
                format!("`{exporter}` exports {}; link another component, or export the interface", list(exports))
            }
            Self::Versions { .. } => {
                "build both against one version; versions go together when their first number that is not 0 is the same"
                    .to_owned()
            }
            Self::Lacks { .. } | Self::Differs { .. } => "build both against the same WIT".to_owned(),
            Self::OwnHandle { .. } => "pass a name, or the data itself".to_owned(),
            Self::Imports { .. } => "build both against the same WIT, or put one of them behind `http://NAME.internal`".to_owned(),
            Self::Module(_) => {
                "build it for `wasm32-wasip2`, or make a component of it with `wasm-tools component new`".to_owned()
            }
            Self::Invalid { .. } => "build it again, or copy it again from where it is whole".to_owned(),
            Self::Reserved { .. } => "build it without that import".to_owned(),
            Self::Unnameable { .. } => "build it with tools that write plain names".to_owned(),
            Self::TooMany { .. } => "call some of them through `http://NAME.internal` instead".to_owned(),
            Self::Whole { .. } => {
                "link every interface that the two share, also those that only hold types; else report it with both components"
                    .to_owned()
            }
        }
    }
}

fn list(names: &[String]) -> String {
    let listed: Vec<String> = names.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(LISTED_MAX);
    let text = listed.join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}
