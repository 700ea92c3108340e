"use strict";
window.ui = SwaggerUIBundle({
  url: "../?format=json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  // No other service is told of the document.
  validatorUrl: null,
});
