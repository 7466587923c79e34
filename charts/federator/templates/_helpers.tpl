{{/* The labels of every object. */}}
{{- define "federator.labels" -}}
app.kubernetes.io/name: federator
{{- end }}

{{/* A role and its binding in one namespace; takes a dict of root, place and namespace. */}}
{{- define "federator.within" -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: federator-{{ .place }}
  namespace: {{ .namespace }}
  labels: {{- include "federator.labels" .root | nindent 4 }}
rules: {{- tpl (.root.Files.Get (printf "rights/%s.yaml" .place)) .root | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: federator-{{ .place }}
  namespace: {{ .namespace }}
  labels: {{- include "federator.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: federator-{{ .place }}
subjects:
- kind: ServiceAccount
  name: federator
  namespace: {{ .root.Release.Namespace }}
{{ end }}

{{/* The same for all namespaces; takes a dict of root and place. */}}
{{- define "federator.everywhere" -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: federator-{{ .place }}
  labels: {{- include "federator.labels" .root | nindent 4 }}
rules: {{- tpl (.root.Files.Get (printf "rights/%s.yaml" .place)) .root | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: federator-{{ .place }}
  labels: {{- include "federator.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: federator-{{ .place }}
subjects:
- kind: ServiceAccount
  name: federator
  namespace: {{ .root.Release.Namespace }}
{{ end }}
