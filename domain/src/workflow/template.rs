//! Dynamic variables: `{{…}}` in strings.
