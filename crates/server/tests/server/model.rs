//! Descriptions: applied, asked for, listed, refused with all mistakes.

use crate::harness::{PLANT, PLANT_FILE, TENANT, apply, reason, serve, serve_plant};
use werkbuch_wire::pb;
use werkbuch_wire::reason::{Reason, violations_of};

#[tokio::test]
async fn a_plant_is_applied_shown_and_applied_again() {
    let served = serve().await;
    let mut client = served.model().await;
    let mut dry = apply(PLANT_FILE);
    dry.validate_only = true;
    let shown = client.apply_plant(dry).await.unwrap().into_inner();
    assert!(
        shown.created && !shown.recorded && shown.changes.len() >= 8,
        "{shown:?}"
    );
    let applied = client
        .apply_plant(apply(PLANT_FILE))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((applied.name.as_str(), applied.revision), (PLANT, 1));
    assert_eq!(applied.changes, shown.changes);
    let request = pb::GetPlantRequest {
        name: PLANT.into(),
        instant: None,
    };
    let plant = client.get_plant(request).await.unwrap().into_inner();
    assert_eq!((plant.machines, plant.units, plant.revision), (5, 2, 1));
    assert_eq!(
        (plant.display_name.as_str(), plant.log_id.len()),
        ("Plant 7", 32)
    );
    assert_eq!(plant.reflected.unwrap().position, applied.position);
    let again = client
        .apply_plant(apply(&plant.content))
        .await
        .unwrap()
        .into_inner();
    assert!(!again.recorded && again.changes.is_empty(), "{again:?}");
    served.end().await;
}

#[tokio::test]
async fn mistakes_come_all_at_once_with_their_places() {
    let served = serve().await;
    let mut client = served.model().await;
    let text = "[plant]\nid = \"PLT-07\"\nnmae = \"x\"\n[[machine]]\nid = \"a b\"\n";
    let status = client.apply_plant(apply(text)).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidPlantFile);
    let told = violations_of(&status);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter()
            .any(|(field, _)| field.starts_with("plant.toml:3:")),
        "{told:?}"
    );
    let mut elsewhere = apply(PLANT_FILE);
    elsewhere.parent = "tenants/other".into();
    let status = client.apply_plant(elsewhere).await.unwrap_err();
    assert_eq!(reason(&status), Reason::UnknownTenant);
    served.end().await;
}

#[tokio::test]
async fn plants_are_listed_in_pages() {
    let served = serve_plant().await;
    let mut client = served.model().await;
    for id in ["PLT-05", "PLT-09"] {
        client
            .apply_plant(apply(&PLANT_FILE.replace("PLT-07", id)))
            .await
            .unwrap();
    }
    let mut names = Vec::new();
    let mut request = pb::ListPlantsRequest {
        parent: TENANT.into(),
        page_size: 2,
        ..Default::default()
    };
    loop {
        let page = client
            .list_plants(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(page.total_size, 3);
        names.extend(page.plants.into_iter().map(|plant| plant.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        names,
        ["PLT-05", "PLT-07", "PLT-09"].map(|id| format!("{TENANT}/plants/{id}"))
    );
    request.page_token = "00".into();
    let status = client.list_plants(request).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidPageToken);
    served.end().await;
}
