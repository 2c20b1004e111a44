//! What is made from the list of tools.

/// Names the tools, a file and its type each, in the order in which the model is told about them: declares the modules, and
/// makes `ALL`.
macro_rules! tools {
    ($($file:ident::$tool:ident),+ $(,)?) => {
        $(mod $file;)+

        /// The tools, in the order in which the model is told about them.
        const ALL: &[&dyn Tool] = &[$(&$file::$tool),+];
    };
}
