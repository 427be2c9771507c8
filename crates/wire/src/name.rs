//! Resource names: `tenants/{tenant}/plants/{plant}/machines/{machine}`.

use crate::reason::Reason;
use tonic::Status;
use werkbuch_model::id::PlantId;

/// The one tenant there is.
pub const DEFAULT_TENANT: &str = "default";

/// The name of a plant of the default tenant.
#[must_use]
pub fn of_plant(plant: &str) -> String {
    format!("tenants/{DEFAULT_TENANT}/plants/{plant}")
}

/// The name of a machine of a plant of the default tenant.
#[must_use]
pub fn of_machine(plant: &str, machine: &str) -> String {
    format!("tenants/{DEFAULT_TENANT}/plants/{plant}/machines/{machine}")
}

/// Checks the name of a tenant: `tenants/{tenant}`.
/// Errors: `INVALID_NAME`, `UNKNOWN_TENANT`.
pub fn tenant(name: &str) -> Result<(), Status> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["tenants", tenant] => known_tenant(tenant),
        _ => Err(invalid(name, "tenants/{tenant}")),
    }
}

/// The plant of a name `tenants/{tenant}/plants/{plant}`.
/// Errors: `INVALID_NAME`, `UNKNOWN_TENANT`.
pub fn plant(name: &str) -> Result<PlantId, Status> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["tenants", tenant, "plants", plant] => {
            known_tenant(tenant)?;
            plant_id(plant)
        }
        _ => Err(invalid(name, "tenants/{tenant}/plants/{plant}")),
    }
}

/// The plant of a name `tenants/{tenant}/plants/{plant}`; none for `plants/-`, which means all.
/// Errors: `INVALID_NAME`, `UNKNOWN_TENANT`.
pub fn plant_or_all(name: &str) -> Result<Option<PlantId>, Status> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["tenants", tenant, "plants", "-"] => {
            known_tenant(tenant)?;
            Ok(None)
        }
        _ => plant(name).map(Some),
    }
}

/// The plant and the machine of a name `tenants/{tenant}/plants/{plant}/machines/{machine}`.
/// Errors: `INVALID_NAME`, `UNKNOWN_TENANT`.
pub fn machine(name: &str) -> Result<(PlantId, String), Status> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["tenants", tenant, "plants", plant, "machines", machine] if !machine.is_empty() => {
            known_tenant(tenant)?;
            Ok((plant_id(plant)?, machine.to_owned()))
        }
        _ => Err(invalid(
            name,
            "tenants/{tenant}/plants/{plant}/machines/{machine}",
        )),
    }
}

/// The plant and the number of a name `tenants/{tenant}/plants/{plant}/runs/{number}`; no plant for `plants/-`,
/// since numbers are those of the server.
/// Errors: `INVALID_NAME`, `UNKNOWN_TENANT`.
pub fn run(name: &str) -> Result<(Option<PlantId>, u64), Status> {
    let form = "tenants/{tenant}/plants/{plant}/runs/{number}";
    match name.split('/').collect::<Vec<_>>()[..] {
        ["tenants", tenant, "plants", plant, "runs", number] => {
            known_tenant(tenant)?;
            let number = number.parse().map_err(|_| invalid(name, form))?;
            let plant = (plant != "-").then(|| plant_id(plant)).transpose()?;
            Ok((plant, number))
        }
        _ => Err(invalid(name, form)),
    }
}

fn plant_id(text: &str) -> Result<PlantId, Status> {
    PlantId::new(text).map_err(|error| Reason::InvalidName.status(error.to_string()))
}

fn known_tenant(tenant: &str) -> Result<(), Status> {
    if tenant == DEFAULT_TENANT {
        return Ok(());
    }
    Err(Reason::UnknownTenant.status(format!(
        "there is no tenant \"{tenant}\"; the one there is is \"default\""
    )))
}

fn invalid(name: &str, form: &str) -> Status {
    let shown: String = name.chars().take(80).collect();
    Reason::InvalidName.status(format!("\"{shown}\" is not a name of the form {form}"))
}
