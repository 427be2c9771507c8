//! The fields about people, wherever they stand in what an event says.

use super::{Body, Protected};

/// Answers for each kind with fields about people which they are; the person who is meant is `who`.
macro_rules! people {
    ($($kind:ident { who $($field:ident)* })+) => {
        impl<'a> Body<'a> {
            /// Calls `visit` with each field about a person: its path, the person in plain if the
            /// content says who it is, and the field. Stops at the first error and answers it.
            ///
            /// # Errors
            ///
            /// What `visit` says.
            pub fn for_each_protected<E>(
                &mut self,
                visit: &mut dyn FnMut(&'static str, Option<&str>, &mut Protected<'a>) -> Result<(), E>,
            ) -> Result<(), E> {
                match self {
                    $(Self::$kind(body) => {
                        let person = body.who.plain.to_string();
                        let person = (!person.is_empty()).then_some(person.as_str());
                        visit("who", person, &mut body.who)?;
                        $(visit(stringify!($field), person, &mut body.$field)?;)*
                    })+
                    _ => {}
                }
                match self {
                    Self::CorrectionRecorded(body) => match body.replacement.as_deref_mut() {
                        Some(replacement) => replacement.for_each_protected(
                            &mut |path, person, field| visit(within(path), person, field),
                        ),
                        None => Ok(()),
                    },
                    _ => Ok(()),
                }
            }

            /// Whether any field about a person is as `wanted` says.
            pub fn any_protected(&self, wanted: &dyn Fn(&Protected<'a>) -> bool) -> bool {
                let own = match self {
                    $(Self::$kind(body) => wanted(&body.who) $(|| wanted(&body.$field))*,)+
                    _ => false,
                };
                let within = match self {
                    Self::CorrectionRecorded(body) => body.replacement.as_deref(),
                    _ => None,
                };
                own || within.is_some_and(|replacement| replacement.any_protected(wanted))
            }
        }
    };
}

people! {
    AlarmAcknowledged { who comment }
    CorrectionRecorded { who }
    DescriptionChanged { who }
    MaintenanceEnded { who comment }
    InventoryCounted { who }
    DowntimeReasonAssigned { who comment }
    PartDispositioned { who comment }
    AndonRaised { who }
    AndonCleared { who comment }
    StaffingChanged { who }
    ActionRecorded { who }
    RulesChanged { who }
}

/// The path of a field of a replacement.
fn within(path: &'static str) -> &'static str {
    match path {
        "who" => "replacement.who",
        _ => "replacement.comment",
    }
}
