import HTTPShell

/// What shapes the organisation at run time.
let shapingEndpoints: [any Endpoint.Type] = [
    CreateModule.self, UpdateModule.self, CreateFields.self, UpdateFields.self, UpdateField.self, DeleteField.self, ListPickListValues.self,
    ActivateLayout.self, DeactivateLayout.self, UpdateLayout.self, DeleteLayout.self,
]
