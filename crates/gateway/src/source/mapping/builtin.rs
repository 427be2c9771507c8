//! The keys of the public recordings and what they mean.

use super::Rule;
use werkbuch_model::event::{OverrideKind, PartMeaning, Vocabulary};

const STATE: &str = "execution pexecution Program_Status";

const CONTROLLER_MODE: &str = "mode pmode";

const FUNCTIONAL_MODE: &str = "fmode";

const PROGRAM: &str = "program pprogram Program_Name_Running program_name_running";

const SUBPROGRAM: &str = "subprogram";

const COUNTER: &str = "PartCountAct part_count Part_Count ppartcount";

const FEED_OVERRIDE: &str = "Fovr pFovr feed_override Feed_Override";

const RAPID_OVERRIDE: &str = "Frapidovr rapid_override Rapid_Override";

const SPINDLE_OVERRIDE: &str = "Sovr S1ovr S2ovr S3ovr S6ovr spindle_override Spindle_Override";

const TOOL: &str = "Tool_number Current_Tool current_tool p1CurrentTool";

const AVAILABILITY: &str = "avail";

const CONDITION: &str = "
    Btravel Ctravel C2travel C3travel Xtravel Ytravel Ztravel
    Sload_cond S2load_cond S3load_cond Stemp_cond S2temp_cond S3temp_cond
    comms comms_cond logic logic_cond servo servo_cond system system_cond
    path_system path_system2 path_system3 path_system4
    motion motion_cond motion_cond2 motion_cond3 motion_cond4
    coolant_level coolant_pres coolant_temp cnc_temp electric_temp
    hydra_cond hydraulic pneu_cond pneumatic
    BarFeederSystem1_cond CoolantSystem1_cond ElectricSystem1_cond HydraulicSystem1_cond
    LoaderSystem1_cond LubricationSystem1_cond PneumaticSystem1_cond
    ToolingDeliverySystem1_cond WasteDisposalSystem1_cond";

const SAMPLE: &str = "
    Aposition Cposition Xposition Yposition Zposition
    Xabs Yabs Zabs Xfrt Yfrt Zfrt Xload Yload Zload
    Bdeg Bfrt Bload Cdeg Cfrt Cload C2deg C2frt C2load C3deg C3frt C3load C3actm C3actw
    X1actm X1actw X1load YI1actm YI1actw YS1load Z1actm Z1actw Z1load Z4actm Z4actw Z4load
    B1actw B1load
    Srpm Sload Stemp Sfrt S1rpm S1load S1temp S1frt S2rpm S2load S2temp S2frt
    S3rpm S3load S3temp S3frt
    S1speed S1cmd S1CuttingSpeedA S1SurfaceSpeedA
    S2speed S2cmd S2CuttingSpeedA S2SurfaceSpeedA S6speed S6cmd S6load
    Fact p1Fact p1Fcmd p1Fract p1Frcmd feed_rate Feed_Rate Spindle_Speed
    total_time auto_time cut_time pCuttingTime
    spindle_time Spindle_Time program_runtime_seconds Program_Runtime_Seconds";

const TEXT: &str = "
    estop EStop_State power move pallet_num
    line sequenceNum unitNum block_number Block_Number p1BlockNumber
    p1block p1linelabel p1linenumber p1ProgramHeader
    program_cmt subprogram_cmt program_name_editing Program_Name_Editing
    path_pos p1LPathPos
    Tool_group Tool_suffix p1ToolAssetId p1PalletID p1FixtureId
    Brfunc crfunc c2rfunc c3rfunc B1Mode C3Mode S1Mode S2Mode S6Mode S1ChuckState S2ChuckState
    p1CMODryRun p1CMOMachineAxisLock p1CMOOptionalStop p1CMOSinglBlock
    MachineMaintenance MachineOperator MachineSetup
    Application ApplicationAll ApplicationInstallDate ApplicationManufacture
    ApplicationReleaseDate ApplicationVersion
    OperatingSystem OperatingSystemAll OperatingSystemInstallDate OperatingSystemManufacture
    OperatingSystemVersion
    Mazak01-dtop_1";

const IGNORE: &str = "CuttingTool";

/// Calls `f` with each built-in key and its rule.
pub(super) fn for_each(f: &mut dyn FnMut(&str, Rule)) {
    let all = Rule::Counter {
        meaning: PartMeaning::All,
        modulus: 0,
    };
    let table = [
        (STATE, Rule::State(Vocabulary::MtconnectExecution)),
        (
            CONTROLLER_MODE,
            Rule::Mode(Vocabulary::MtconnectControllerMode),
        ),
        (
            FUNCTIONAL_MODE,
            Rule::Mode(Vocabulary::MtconnectFunctionalMode),
        ),
        (PROGRAM, Rule::Program("".into())),
        (SUBPROGRAM, Rule::Program("sub".into())),
        (COUNTER, all),
        (FEED_OVERRIDE, Rule::Override(OverrideKind::Feed)),
        (RAPID_OVERRIDE, Rule::Override(OverrideKind::Rapid)),
        (SPINDLE_OVERRIDE, Rule::Override(OverrideKind::Spindle)),
        (TOOL, Rule::Tool("".into())),
        (AVAILABILITY, Rule::Availability),
        (CONDITION, Rule::Condition),
        (SAMPLE, Rule::Sample("".into())),
        (TEXT, Rule::Text),
        (IGNORE, Rule::Ignore),
    ];
    for (keys, rule) in table {
        for key in keys.split_ascii_whitespace() {
            f(key, rule.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_key_is_listed_twice() {
        let mut seen = BTreeSet::new();
        for_each(&mut |key, _| assert!(seen.insert(key.to_owned()), "{key} is listed twice"));
        assert!(seen.len() > 180, "{}", seen.len());
    }
}
