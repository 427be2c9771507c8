//! What a user sees of a machine: projections over its slots, made when asked for.

mod alarm;
mod condition;
mod machine;
mod pick;
mod state;
mod values;

pub use alarm::{AlarmView, ProtectedView};
pub use condition::{ActiveCondition, ConditionView};
pub use machine::{HeldSlot, MachineTwin, MachineView};
pub use state::{ModeView, ShownBy, StateView};
pub use values::{
    ConnectionView, CounterView, DeclarationView, DeclaredItemView, ItemView, OverrideView,
    ProgramView, SampleView, ToolView,
};
