//! Lambda functions with their policies and images. Environments are left out: they hold secrets.

use serde_json::{Map, Value, json};

use crate::caller::{Caller, Seen, at, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_FUNCTIONS: Call = Call::new("lambda", "ListFunctions");
const GET_FUNCTION: Call = Call::new("lambda", "GetFunction");
const GET_POLICY: Call = Call::new("lambda", "GetPolicy");
const GET_FUNCTION_URL_CONFIG: Call = Call::new("lambda", "GetFunctionUrlConfig");

pub(super) const SURFACE: Surface = Surface {
    id: "functions",
    title: "Lambda functions",
    scope: Scope::Region,
    formats: &["aws.functions"],
    calls: &[
        LIST_FUNCTIONS,
        GET_FUNCTION,
        GET_POLICY,
        GET_FUNCTION_URL_CONFIG,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(functions) = aws.list(LIST_FUNCTIONS, json!({})).await {
        let functions = aws.each(functions, async |function| describe(aws, function).await);
        found.insert("Functions".to_owned(), functions.await);
    }
    found
}

async fn describe(aws: &Caller<'_>, mut function: Map<String, Value>) -> Map<String, Value> {
    function.remove("Environment");
    let input = json!({"FunctionName": text(&function, "FunctionName")});
    aws.add(&mut function, "Policy", GET_POLICY, input.clone(), "Policy")
        .await;
    if let Seen::Found(answer) = aws.one(GET_FUNCTION, input.clone()).await {
        // `Code.Location` is an address that opens the code to whoever has it.
        if let Some(image) = at(&answer, "Code.ImageUri") {
            function.insert("Code".to_owned(), json!({"ImageUri": image}));
        }
        if let Some(tags) = answer.get("Tags") {
            function.insert("Tags".to_owned(), tags.clone());
        }
    }
    if let Seen::Found(answer) = aws.one(GET_FUNCTION_URL_CONFIG, input).await {
        for (name, member) in [
            ("FunctionUrl", "FunctionUrl"),
            ("FunctionUrlAuthType", "AuthType"),
        ] {
            if let Some(value) = answer.get(member) {
                function.insert(name.to_owned(), value.clone());
            }
        }
    }
    function
}
