//! The layout of each message: its fields' numbers, once, for encoder and decoder.

use super::field::{Field, Message, put_nested, read_nested};
use super::input::{DecodeError, Input, Place, Wire};
use werkbuch_model::event::*;

/// Gives a message its layout: `number => field`, in the order of the numbers.
macro_rules! layout {
    ($($name:ident $(<$life:lifetime>)? { $($tag:literal => $field:ident,)+ })+) => {$(
        impl<'a> Message<'a> for $name $(<$life>)? {
            fn put_fields(&self, out: &mut Vec<u8>) {
                $(self.$field.put($tag, out);)+
            }

            fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
                let mut message = Self::default();
                while !input.is_empty() {
                    let (place, wire) = input.tag(stringify!($name))?;
                    match place.tag {
                        $($tag => message.$field.absorb(place, wire, &mut input)?,)+
                        _ => return Err(place.unknown_field()),
                    }
                }
                Ok(message)
            }
        }
    )+};
}

layout! {
    AssetDeclared<'a> { 1 => manufacturer, 2 => model, 3 => serial, 4 => items, }
    DeclaredItem<'a> { 1 => id, 2 => item_type, 3 => unit, 4 => category, 5 => deadband, }
    ConnectionChanged<'a> { 1 => to, 2 => cause, }
    StateChanged<'a> { 1 => to, 2 => from, 3 => native, 4 => vocabulary, 5 => reason, }
    ModeChanged<'a> { 1 => to, 2 => native, 3 => vocabulary, }
    PartProduced<'a> {
        1 => counter, 2 => meaning, 3 => value, 4 => modulus, 5 => reset_epoch, 6 => part_type,
        7 => part,
    }
    AlarmRaised<'a> { 1 => key, 2 => code, 3 => severity, 4 => text, 5 => native, }
    AlarmAcknowledged<'a> { 1 => key, 2 => who, 3 => comment, }
    AlarmCleared<'a> { 1 => key, 2 => duration_ms, }
    Protected<'a> { 1 => plain, 2 => key, 3 => ciphertext, }
    ConditionChanged<'a> {
        1 => item, 2 => level, 3 => code, 4 => native_severity, 5 => qualifier, 6 => text,
    }
    ToolChanged<'a> { 1 => slot, 2 => tool, 3 => life_used, 4 => life_limit, 5 => life_unit, }
    ProgramChanged<'a> { 1 => slot, 2 => program, 3 => revision, 4 => block, }
    OverrideChanged<'a> { 1 => item, 2 => what, 3 => percent, }
    SampleReported<'a> {
        1 => period_start, 2 => period_ms, 3 => items, 4 => body_hash, 5 => body_bytes,
    }
    SampleItem<'a> {
        1 => item, 2 => unit, 3 => n, 4 => unavailable, 5 => min, 6 => max, 7 => mean, 8 => last,
    }
    GapDetected<'a> {
        1 => cause, 2 => source, 3 => first, 4 => last, 5 => lost, 6 => file, 7 => first_line,
        8 => last_line, 9 => content_hash, 10 => detail,
    }
    Correction<'a> {
        1 => action, 2 => targets, 3 => replacement, 4 => new_time, 5 => who, 6 => why,
    }
    SourceOpened<'a> { 1 => number, 2 => name, 3 => epoch, 4 => source_kind, 5 => tolerance_ns, }
    WriterOpened<'a> {
        1 => epoch, 2 => build, 3 => fold_version, 4 => after_clean_close, 5 => last_recorded_at,
    }
    EventRefused<'a> { 1 => source, 2 => first, 3 => last, 4 => reason, 5 => hash, }
    ClockJumped { 1 => expected, 2 => found, 3 => confirmed, }
    FormatRaised { 1 => minimum_reader, }
    DescriptionChanged<'a> {
        1 => revision, 2 => part, 3 => commit, 4 => valid_from, 5 => file_hash, 6 => who, 7 => why,
        8 => changes,
    }
    DigestRecorded<'a> { 1 => at_position, 2 => fold_version, 3 => digest, }
    ItemChanged<'a> { 1 => item, 2 => text, }
    CycleStarted<'a> {
        1 => cycle, 2 => program, 3 => part_type, 4 => part, 5 => operation, 6 => carrier,
        7 => variant,
    }
    CycleCompleted<'a> {
        1 => cycle, 2 => duration_ms, 3 => ideal_ms, 4 => outcome, 5 => part, 6 => part_type,
        7 => variant, 8 => operation, 9 => subgroup, 10 => parts,
    }
    MaintenanceStarted<'a> {
        1 => work_order, 2 => maintenance, 3 => planned, 4 => crew, 5 => native,
    }
    MaintenanceEnded<'a> { 1 => work_order, 2 => outcome, 3 => who, 4 => comment, }
    BufferLevelChanged<'a> { 1 => buffer, 2 => lane, 3 => level, 4 => capacity, }
    MaterialArrived<'a> {
        1 => part_number, 2 => batch, 3 => quantity, 4 => unit, 5 => from, 6 => to, 7 => delivery,
    }
    MaterialMoved<'a> {
        1 => part_number, 2 => batch, 3 => quantity, 4 => unit, 5 => from, 6 => to,
    }
    MaterialConsumed<'a> {
        1 => part_number, 2 => batch, 3 => quantity, 4 => unit, 5 => at, 6 => order, 7 => part,
    }
    InventoryCounted<'a> { 1 => location, 2 => part_number, 3 => quantity, 4 => unit, 5 => who, }
    SupplyStatusReported<'a> {
        1 => part_number, 2 => site, 3 => stock, 4 => unit, 5 => days_of_supply,
        6 => demand_per_day, 7 => capacity_per_week,
    }
    OrderReleased<'a> {
        1 => order, 2 => product, 3 => variant, 4 => planned, 5 => due, 6 => priority,
    }
    OrderStarted<'a> { 1 => order, 2 => product, 3 => variant, }
    OrderCompleted<'a> { 1 => order, 2 => done, 3 => scrap, }
    OrderAborted<'a> { 1 => order, 2 => done, 3 => scrap, 4 => reason, }
    ProcessResult<'a> {
        1 => operation, 2 => spot, 3 => verdict, 4 => cycle, 5 => part, 6 => subgroup, 7 => figures,
    }
    QualityResult<'a> {
        1 => characteristic, 2 => nominal, 3 => measured, 4 => lower, 5 => upper, 6 => unit,
        7 => verdict, 8 => cycle, 9 => part, 10 => operation, 11 => subgroup,
    }
    EnergyCounter<'a> { 1 => meter, 2 => medium, 3 => value, 4 => modulus, 5 => reset_epoch, }
    DowntimeReasonAssigned<'a> {
        1 => key, 2 => from, 3 => to, 4 => code, 5 => text, 6 => who, 7 => comment,
    }
    CalendarChanged<'a> { 1 => unit, 2 => key, 3 => from, 4 => to, 5 => intervals, }
    PartEntered<'a> {
        1 => part, 2 => location, 3 => place, 4 => part_type, 5 => variant, 6 => carrier,
        7 => operation, 8 => order,
    }
    PartLeft<'a> {
        1 => part, 2 => location, 3 => place, 4 => to, 5 => part_type, 6 => variant, 7 => carrier,
        8 => operation, 9 => outcome,
    }
    PartsJoined<'a> { 1 => part, 2 => parts, 3 => location, 4 => operation, }
    PartSplit<'a> { 1 => part, 2 => into, 3 => location, 4 => operation, }
    PartDispositioned<'a> {
        1 => part, 2 => disposition, 3 => code, 4 => location, 5 => produced_at, 6 => who,
        7 => comment,
    }
    TransportStarted<'a> {
        1 => transport, 2 => vehicle, 3 => carrier, 4 => from, 5 => to, 6 => parts,
        7 => part_number, 8 => quantity,
    }
    TransportEnded<'a> { 1 => transport, 2 => at, 3 => outcome, }
    PlanPublished<'a> {
        1 => plan, 2 => plan_kind, 3 => version, 4 => chunk, 5 => chunks, 6 => from, 7 => to,
        8 => entries,
    }
    AndonRaised<'a> { 1 => key, 2 => andon, 3 => location, 4 => text, 5 => who, }
    AndonCleared<'a> { 1 => key, 2 => who, 3 => comment, }
    StaffingChanged<'a> {
        1 => unit, 2 => crew, 3 => shift, 4 => skill, 5 => present, 6 => required, 7 => who,
    }
    PeriodClosed<'a> { 1 => unit, 2 => key, 3 => from, 4 => to, 5 => at_position, 6 => figures, }
    LineageStarted<'a> { 1 => parent, 2 => size, 3 => root, 4 => lost_first, 5 => lost_last, }
    RuleRaised<'a> { 1 => rule, 2 => key, 3 => severity, 4 => text, 5 => since, 6 => before, }
    RuleCleared<'a> {
        1 => rule, 2 => key, 3 => since, 4 => before, 5 => raised, 6 => withdrawn,
    }
    RulesChanged<'a> {
        1 => revision, 2 => part, 3 => commit, 4 => file_hash, 5 => who, 6 => why, 7 => rules,
    }
    DeclaredRule<'a> {
        1 => rule, 2 => raise, 3 => hold_ns, 4 => clear, 5 => clear_hold_ns, 6 => severity,
        7 => text, 8 => since_revision,
    }
    ActionRecorded<'a> {
        1 => action, 2 => target, 3 => who, 4 => why, 5 => old_position, 6 => detail,
    }
    Figure<'a> { 1 => name, 2 => value, 3 => unit, 4 => lower, 5 => upper, }
    PlannedInterval<'a> { 1 => from, 2 => to, 3 => kind, 4 => name, 5 => team, }
    PlanEntry<'a> {
        1 => at, 2 => until, 3 => order, 4 => product, 5 => variant, 6 => part, 7 => quantity,
        8 => part_number, 9 => site, 10 => location, 11 => text,
    }
}

impl<'a> Field<'a> for Protected<'a> {
    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_nested(self, tag, out);
        }
    }

    fn read(place: Place, wire: Wire, input: &mut Input<'a>) -> Result<Self, DecodeError> {
        read_nested(place, wire, input)
    }
}

/// The body's kinds: a kind's number is its field's number in the message `Body`.
macro_rules! kinds {
    ($($kind:ident)+) => {
        impl<'a> Message<'a> for Body<'a> {
            fn put_fields(&self, out: &mut Vec<u8>) {
                match self { $(Self::$kind(body) => put_nested(body, Kind::$kind.code(), out),)+ }
            }

            fn read_fields(mut input: Input<'a>) -> Result<Self, DecodeError> {
                while !input.is_empty() {
                    let (place, wire) = input.tag("Body")?;
                    let mut rest = input;
                    rest.skip(wire)?;
                    if rest.is_empty() {
                        return read_kind(place, wire, &mut input);
                    }
                    // Of several the last one holds; the others must be right all the same.
                    read_kind(place, wire, &mut input)?;
                }
                Err(DecodeError::NoBody)
            }
        }

        /// The content of one kind, made in the place where it stays: bodies are large to move.
        fn read_kind<'a>(
            place: Place,
            wire: Wire,
            input: &mut Input<'a>,
        ) -> Result<Body<'a>, DecodeError> {
            match Kind::from_code(place.tag) {
                $(Some(Kind::$kind) => read_nested(place, wire, input).map(Body::$kind),)+
                Some(Kind::Unspecified) | None => Err(DecodeError::NoBody),
            }
        }
    };
}

kinds! {
    AssetDeclared ConnectionChanged StateChanged ModeChanged CycleStarted CycleCompleted
    PartProduced AlarmRaised AlarmAcknowledged AlarmCleared ConditionChanged ToolChanged
    ProgramChanged OverrideChanged MaintenanceStarted BufferLevelChanged MaterialArrived
    OrderReleased ProcessResult QualityResult EnergyCounter SampleReported DowntimeReasonAssigned
    CalendarChanged SupplyStatusReported GapDetected CorrectionRecorded MaintenanceEnded
    MaterialMoved MaterialConsumed OrderStarted OrderCompleted OrderAborted SourceOpened
    WriterOpened EventRefused ClockJumped FormatRaised LineageStarted DescriptionChanged
    DigestRecorded ItemChanged PartEntered PartLeft PartsJoined PartSplit PartDispositioned
    InventoryCounted TransportStarted TransportEnded PlanPublished AndonRaised AndonCleared
    StaffingChanged PeriodClosed RuleRaised RuleCleared ActionRecorded RulesChanged
}
