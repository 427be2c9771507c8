//! What a user sees of a machine and of the plant: projections over slots, made when asked for.

mod alarm;
mod condition;
mod machine;
mod part;
mod pick;
mod plan;
mod state;
mod value;
mod values;

pub use alarm::{AlarmView, ProtectedView};
pub use condition::{ActiveCondition, ConditionView};
pub use machine::{HeldSlot, MachineTwin, MachineView};
pub use part::{PartPlace, PartView};
pub use plan::PlanView;
pub use state::{ModeView, ShownBy, StateView};
pub use value::ValueView;
pub use values::{
    ConnectionView, CounterView, DeclarationView, DeclaredItemView, ItemView, OverrideView,
    ProgramView, SampleView, ToolView,
};
