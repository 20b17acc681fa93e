//! Texts kept in `tests/snapshots`, each under a name of its own. `INSTA_UPDATE=always` rewrites what differs.

/// Fails if the text is not the one that is kept under this name.
pub(crate) fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
